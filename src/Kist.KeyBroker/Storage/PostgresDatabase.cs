using System.Data;
using System.Data.Common;
using Kist.Formats;
using Npgsql;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// PostgreSQL, for several replicas of a broker. Writers queue up at one lock, as they do in SQLite: version numbers and
/// the audit log's positions have no gaps, and no write has to be tried again.
/// </summary>
sealed class PostgresDatabase : Database
{
    // "kist" in ASCII: which lock it is must only be the same in every replica.
    private const string TakeLock = "SELECT pg_advisory_xact_lock(1802072948)";

    private readonly NpgsqlDataSource _source;

    public PostgresDatabase(string connectionString)
    {
        try
        {
            var builder = new NpgsqlSlimDataSourceBuilder(connectionString);
            // The same few statements come over and over: the server plans each once a connection.
            if (builder.ConnectionStringBuilder.MaxAutoPrepare == 0)
                builder.ConnectionStringBuilder.MaxAutoPrepare = 64;
            _source = builder.Build();
        }
        catch (ArgumentException e)
        {
            throw new OperationFailedException("open the broker's database", "PostgreSQL", $"the connection string is not valid: {e.Message}", inner: e);
        }
    }

    public override string BytesType => "BYTEA";

    public override void Dispose()
    {
        _source.Dispose();
        base.Dispose();
    }

    protected override T RunRead<T>(Func<DbConnection, T> read) => Run(IsolationLevel.RepeatableRead, read);

    protected override T RunWrite<T>(Func<DbConnection, T> write) => Run(IsolationLevel.ReadCommitted, connection =>
    {
        connection.Execute(TakeLock);
        return write(connection);
    });

    private T Run<T>(IsolationLevel isolation, Func<DbConnection, T> act)
    {
        try
        {
            using var connection = _source.OpenConnection();
            using var transaction = connection.BeginTransaction(isolation);
            var result = act(connection);
            transaction.Commit();
            return result;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw new OperationFailedException("use the broker's database", "PostgreSQL", e.Message, "is the database running, and reachable from here?", isTransient: true, inner: e);
        }
    }
}
