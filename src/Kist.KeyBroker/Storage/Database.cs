using System.Data.Common;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// The broker's relational store. Calls are synchronous: SQLite is a library in this process, and its calls take
/// microseconds. SQL is written once for all databases; what differs is in the derived class.
/// </summary>
abstract class Database : IDisposable
{
    /// <summary>SQL type of a byte string.</summary>
    public abstract string BytesType { get; }

    /// <summary>Reads from one consistent state.</summary>
    public abstract T Read<T>(Func<DbConnection, T> read);

    /// <summary>Changes in one transaction: all of it or, if <paramref name="write"/> throws, nothing.</summary>
    public abstract T Write<T>(Func<DbConnection, T> write);

    /// <summary>Changes in one transaction.</summary>
    public void Write(Action<DbConnection> write) => Write(connection =>
    {
        write(connection);
        return true;
    });

    public abstract void Dispose();
}
