using System.Collections.Concurrent;
using System.Data.Common;
using Kist.Formats;
using Microsoft.Data.Sqlite;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// SQLite in write-ahead mode: any number of readers beside one writer. A killed process loses nothing that was
/// committed; with <c>synchronous=FULL</c> neither does a machine that loses its power.
/// </summary>
sealed class SqliteDatabase : Database
{
    // As many as work at a time on a usual machine; what is read at once beyond that opens a connection for itself.
    private const int KeptReaders = 8;

    private readonly string _readString;
    private readonly Connection _writer;
    private readonly Lock _writing = new();
    private readonly ConcurrentBag<Connection> _readers = [];
    private readonly SqliteGroupCommit _group;

    public SqliteDatabase(string path, bool durableAgainstPowerLoss)
    {
        var builder = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWriteCreate, DefaultTimeout = 30, Pooling = false };
        CreatePrivateFile(path);
        _writer = new Connection(builder.ConnectionString);
        try
        {
            _writer.Open();
            _writer.Sql.Execute("PRAGMA journal_mode=WAL");
            _writer.Sql.Execute($"PRAGMA synchronous={(durableAgainstPowerLoss ? "FULL" : "NORMAL")}");
            _writer.Sql.Execute("PRAGMA foreign_keys=ON");
            // Deleted secrets are overwritten with zeros, not only unlinked.
            _writer.Sql.Execute("PRAGMA secure_delete=ON");
            // Pages that every decision changes are copied from the log into the database once in 16 MiB, not once in 4.
            _writer.Sql.Execute("PRAGMA wal_autocheckpoint=4096");
        }
        catch (SqliteException e)
        {
            _writer.Dispose();
            throw new OperationFailedException("open the broker's database", path, e.Message, "is it a database of kist, and writable?", inner: e);
        }

        builder.Mode = SqliteOpenMode.ReadOnly;
        _readString = builder.ConnectionString;
        _group = new SqliteGroupCommit(RunGroup);
    }

    public override string BytesType => "BLOB";

    public override void Dispose()
    {
        while (_readers.TryTake(out var reader))
            reader.Dispose();
        // The last connection empties the log into the database, so that a copy of one file is a copy of all.
        _writer.Sql.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        _writer.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    public override Task<T> WriteAsync<T>(Func<DbConnection, T> write) =>
        IsWriting ? base.WriteAsync(write) : _group.AddAsync(connection => AsWriter(connection, write));

    protected override T RunRead<T>(Func<DbConnection, T> read)
    {
        Connection? reader = null;
        try
        {
            reader = TakeReader();
            reader.Sql.Execute("BEGIN DEFERRED");
            var result = read(reader.Sql);
            reader.Sql.Execute("COMMIT");
            if (_readers.Count < KeptReaders)
            {
                _readers.Add(reader);
                reader = null;
            }

            return result;
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
        finally
        {
            // One that failed is in a state that nobody knows: it is not used again.
            reader?.Dispose();
        }
    }

    protected override T RunWrite<T>(Func<DbConnection, T> write)
    {
        lock (_writing)
        {
            try
            {
                _writer.Sql.Execute("BEGIN IMMEDIATE");
                var result = write(_writer.Sql);
                _writer.Sql.Execute("COMMIT");
                return result;
            }
            catch (Exception e)
            {
                RollBack();
                if (e is SqliteException failure)
                    throw Failed(failure);
                throw;
            }
        }
    }

    private void RunGroup(Action<DbConnection> changes)
    {
        RunWrite(connection =>
        {
            changes(connection);
            return true;
        });
    }

    private void RollBack()
    {
        try
        {
            _writer.Sql.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // A full disk, for one, has ended the transaction by itself: what failed before is what matters.
        }
    }

    private static OperationFailedException Failed(SqliteException e) =>
        new("use the broker's database", "SQLite", e.Message, "is there space on the disk, and is the state folder writable?", isTransient: true, inner: e);

    private Connection TakeReader()
    {
        if (_readers.TryTake(out var kept))
            return kept;
        var reader = new Connection(_readString);
        reader.Open();
        // The system's own cache has the file's pages; many readers with large caches would only hold them twice.
        reader.Sql.Execute("PRAGMA cache_size=-512");
        return reader;
    }

    private static void CreatePrivateFile(string path)
    {
        if (File.Exists(path))
            return;
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    /// <summary>A connection with its compiled statements.</summary>
    private sealed class Connection : IDisposable
    {
        private readonly StatementCache _statements;

        public Connection(string connectionString)
        {
            Sql = new SqliteConnection(connectionString);
            _statements = new StatementCache(Sql);
        }

        public SqliteConnection Sql { get; }

        public void Open() => Sql.Open();

        public void Dispose()
        {
            _statements.Dispose();
            Sql.Dispose();
        }
    }
}
