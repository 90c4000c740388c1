using System.Data.Common;
using System.Runtime.CompilerServices;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// Compiled statements of one connection, by their text: compiling one costs SQLite several times what running it does.
/// Texts come from this program only, so that their number is bounded. For one thread at a time, as the connection is.
/// </summary>
sealed class StatementCache : IDisposable
{
    private static readonly ConditionalWeakTable<DbConnection, StatementCache> Caches = [];

    private readonly DbConnection _connection;
    private readonly Dictionary<string, DbCommand> _commands = new(StringComparer.Ordinal);

    /// <summary>Makes a connection keep its statements from now on.</summary>
    public StatementCache(DbConnection connection)
    {
        _connection = connection;
        Caches.Add(connection, this);
    }

    /// <summary>A statement to run, compiled before if the connection keeps them. Give it to <see cref="Return"/> afterwards.</summary>
    public static DbCommand Rent(DbConnection connection, string sql)
    {
        if (!Caches.TryGetValue(connection, out var cache))
            return Create(connection, sql);
        // It is out of the cache while it runs, so that a statement within a statement gets one of its own.
        return cache._commands.Remove(sql, out var command) ? command : Create(connection, sql);
    }

    /// <summary>Keeps a statement for the next time, without what it was run with.</summary>
    public static void Return(DbConnection connection, DbCommand command)
    {
        if (!Caches.TryGetValue(connection, out var cache))
        {
            command.Dispose();
            return;
        }

        foreach (DbParameter parameter in command.Parameters)
            parameter.Value = DBNull.Value;
        if (!cache._commands.TryAdd(command.CommandText, command))
            command.Dispose();
    }

    public void Dispose()
    {
        Caches.Remove(_connection);
        foreach (var command in _commands.Values)
            command.Dispose();
        _commands.Clear();
    }

    private static DbCommand Create(DbConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}
