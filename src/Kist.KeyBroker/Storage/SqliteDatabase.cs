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
    private readonly string _readString;
    private readonly SqliteConnection _writer;
    private readonly Lock _writing = new();

    public SqliteDatabase(string path, bool durableAgainstPowerLoss)
    {
        var builder = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWriteCreate, DefaultTimeout = 30 };
        CreatePrivateFile(path);
        _writer = new SqliteConnection(builder.ConnectionString);
        try
        {
            _writer.Open();
            _writer.Execute("PRAGMA journal_mode=WAL");
            _writer.Execute($"PRAGMA synchronous={(durableAgainstPowerLoss ? "FULL" : "NORMAL")}");
            _writer.Execute("PRAGMA foreign_keys=ON");
            // Deleted secrets are overwritten with zeros, not only unlinked.
            _writer.Execute("PRAGMA secure_delete=ON");
        }
        catch (SqliteException e)
        {
            _writer.Dispose();
            throw new OperationFailedException("open the broker's database", path, e.Message, "is it a database of kist, and writable?", inner: e);
        }

        builder.Mode = SqliteOpenMode.ReadOnly;
        _readString = builder.ConnectionString;
    }

    public override string BytesType => "BLOB";

    public override T Read<T>(Func<DbConnection, T> read)
    {
        using var connection = new SqliteConnection(_readString);
        connection.Open();
        using var transaction = connection.BeginTransaction(deferred: true);
        return read(connection);
    }

    public override T Write<T>(Func<DbConnection, T> write)
    {
        lock (_writing)
        {
            using var transaction = _writer.BeginTransaction(deferred: false);
            var result = write(_writer);
            transaction.Commit();
            return result;
        }
    }

    public override void Dispose()
    {
        using (var reader = new SqliteConnection(_readString))
            SqliteConnection.ClearPool(reader);
        // The last connection empties the log into the database, so that a copy of one file is a copy of all.
        _writer.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        SqliteConnection.ClearPool(_writer);
        _writer.Dispose();
        SqliteConnection.ClearPool(_writer);
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
}
