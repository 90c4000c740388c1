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
    private readonly ThreadLocal<DbConnection?> _reading = new();

    /// <summary>SQL type of a byte string.</summary>
    public abstract string BytesType { get; }

    /// <summary>True within a <see cref="Write{T}"/> of this thread.</summary>
    protected bool IsWriting => _writing.Value is not null;

    /// <summary>Reads from one consistent state, which all reads within <paramref name="read"/> on this thread see.</summary>
    public T Read<T>(Func<DbConnection, T> read) =>
        (_writing.Value ?? _reading.Value) is { } open ? read(open) : RunRead(connection => Within(_reading, connection, read));

    /// <summary>Makes one state of all that <paramref name="read"/> reads on this thread.</summary>
    public T ReadTogether<T>(Func<T> read) => Read(_ => read());

    /// <summary>Changes in one transaction: all of it or, if <paramref name="write"/> throws, nothing.</summary>
    public T Write<T>(Func<DbConnection, T> write) => _writing.Value is { } outer ? write(outer) : RunWrite(connection => AsWriter(connection, write));

    /// <summary>
    /// As <see cref="Write{T}"/>, on whatever thread and perhaps in one transaction with other callers' changes. When the task
    /// ends the change is committed, as durably as any other; when it fails, nothing of this change was made.
    /// </summary>
    public virtual Task<T> WriteAsync<T>(Func<DbConnection, T> write)
    {
        try
        {
            return Task.FromResult(Write(write));
        }
        catch (Exception e)
        {
            return Task.FromException<T>(e);
        }
    }

    /// <summary>Changes in one transaction.</summary>
    public void Write(Action<DbConnection> write) => Write(connection =>
    {
        write(connection);
        return true;
    });

    /// <summary>Makes one transaction of all changes that <paramref name="write"/> makes on this thread.</summary>
    public void Write(Action write) => Write(_ => write());

    public virtual void Dispose()
    {
        _writing.Dispose();
        _reading.Dispose();
    }

    /// <summary>Runs a part of a transaction, so that calls within it join.</summary>
    protected T AsWriter<T>(DbConnection connection, Func<DbConnection, T> write) => Within(_writing, connection, write);

    private static T Within<T>(ThreadLocal<DbConnection?> place, DbConnection connection, Func<DbConnection, T> act)
    {
        place.Value = connection;
        try
        {
            return act(connection);
        }
        finally
        {
            place.Value = null;
        }
    }

    protected abstract T RunRead<T>(Func<DbConnection, T> read);

    protected abstract T RunWrite<T>(Func<DbConnection, T> write);
}
