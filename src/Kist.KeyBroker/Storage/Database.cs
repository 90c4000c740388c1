using System.Data.Common;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// The broker's relational store. Calls are synchronous: SQLite is a library in this process, and its calls take
/// microseconds. SQL is written once for all databases; what differs is in the derived class.
/// </summary>
/// <remarks>
/// A call within a <see cref="Write{T}"/> of the same thread is part of its transaction. So a change and the audit entry of
/// it, each of which opens a transaction when it is alone, become one by a <see cref="Write(Action)"/> around both.
/// </remarks>
abstract class Database : IDisposable
{
    private readonly ThreadLocal<DbConnection?> _writing = new();

    /// <summary>SQL type of a byte string.</summary>
    public abstract string BytesType { get; }

    /// <summary>Reads from one consistent state.</summary>
    public T Read<T>(Func<DbConnection, T> read) => _writing.Value is { } connection ? read(connection) : RunRead(read);

    /// <summary>Changes in one transaction: all of it or, if <paramref name="write"/> throws, nothing.</summary>
    public T Write<T>(Func<DbConnection, T> write)
    {
        if (_writing.Value is { } outer)
            return write(outer);
        return RunWrite(connection =>
        {
            _writing.Value = connection;
            try
            {
                return write(connection);
            }
            finally
            {
                _writing.Value = null;
            }
        });
    }

    /// <summary>Changes in one transaction.</summary>
    public void Write(Action<DbConnection> write) => Write(connection =>
    {
        write(connection);
        return true;
    });

    /// <summary>Makes one transaction of all changes that <paramref name="write"/> makes on this thread.</summary>
    public void Write(Action write) => Write(_ => write());

    public virtual void Dispose() => _writing.Dispose();

    protected abstract T RunRead<T>(Func<DbConnection, T> read);

    protected abstract T RunWrite<T>(Func<DbConnection, T> write);
}
