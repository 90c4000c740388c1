using Kist.Formats;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Hosting;
using Microsoft.Data.Sqlite;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// Copies of a broker's database: always a SQLite file, whatever the database, so that a copy of either can be restored
/// into either. Secrets in it stay encrypted: the master key is kept, and copied, elsewhere.
/// </summary>
public static class BrokerBackup
{
    private const string DatabaseFile = "broker.db";

    /// <summary>Copies the SQLite database of a state folder while its broker may be running; the copy is of one moment.</summary>
    /// <param name="stateDirectory">The broker's state folder.</param>
    /// <param name="file">Where the copy goes; it must not exist.</param>
    /// <exception cref="OperationFailedException">There is no database, or the copy cannot be written.</exception>
    public static void Create(string stateDirectory, string file)
    {
        var source = Path.Combine(stateDirectory, DatabaseFile);
        if (!File.Exists(source))
            throw new OperationFailedException("back the broker up", source, "there is no database", "give the broker's state folder, or --postgres FILE");
        Write(file, "back the broker up", () => CopyFile(source, file));
    }

    /// <summary>Copies a PostgreSQL database while its replicas may be running; the copy is of one moment.</summary>
    /// <exception cref="OperationFailedException">The database cannot be read, or the copy cannot be written.</exception>
    public static void CreateFromPostgres(string connectionString, string file, DateTimeOffset now)
    {
        using var source = new PostgresDatabase(connectionString);
        Write(file, "back the broker up", () =>
        {
            using (var target = new SqliteDatabase(file, durableAgainstPowerLoss: false))
            {
                Schema.Migrate(target, now);
                TableCopy.Run(source, target);
            }

            MakeOneFile(file);
        });
    }

    /// <summary>Checks a copy, and puts it into a state folder that has no database.</summary>
    /// <returns>Number of entries of the audit log, all of which were hashed anew.</returns>
    /// <exception cref="OperationFailedException">The copy is damaged, or the folder has a database.</exception>
    public static long Restore(string file, string stateDirectory)
    {
        var target = Path.Combine(stateDirectory, DatabaseFile);
        if (File.Exists(target))
            throw new OperationFailedException("restore the broker", target, "there is a database already", "move it away, or give an empty folder");
        var entries = BackupCheck.Run(file);
        PrivateFile.CreateFolder(stateDirectory);
        Write(target, "restore the broker", () => CopyFile(file, target));
        return entries;
    }

    /// <summary>Checks a copy, and puts it into a PostgreSQL database that no broker has used.</summary>
    /// <returns>Number of entries of the audit log, all of which were hashed anew.</returns>
    /// <exception cref="OperationFailedException">The copy is damaged, or the database is in use.</exception>
    public static long RestoreToPostgres(string file, string connectionString, DateTimeOffset now)
    {
        var entries = BackupCheck.Run(file);
        // A copy of an earlier version is brought up to date aside; the file stays as it is.
        var folder = Directory.CreateTempSubdirectory("kist-restore-");
        try
        {
            var current = Path.Combine(folder.FullName, DatabaseFile);
            Write(current, "restore the broker", () => CopyFile(file, current));
            using var source = new SqliteDatabase(current, durableAgainstPowerLoss: false);
            Schema.Migrate(source, now);
            using var target = new PostgresDatabase(connectionString);
            Schema.Migrate(target, now);
            TableCopy.Run(source, target);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return entries;
    }

    private static void CopyFile(string source, string target)
    {
        using (var from = Open(source, SqliteOpenMode.ReadOnly))
        using (var to = Open(target, SqliteOpenMode.ReadWrite))
            from.BackupDatabase(to);
        MakeOneFile(target);
    }

    /// <summary>Without a log beside it.</summary>
    private static void MakeOneFile(string file)
    {
        using var connection = Open(file, SqliteOpenMode.ReadWrite);
        connection.Execute("PRAGMA journal_mode=DELETE");
    }

    private static void Write(string file, string step, Action write)
    {
        if (File.Exists(file))
            throw new OperationFailedException(step, file, "the file exists", "choose another name");
        try
        {
            PrivateFile.Write(file, "");
            write();
        }
        catch (Exception e)
        {
            foreach (var left in new[] { file, $"{file}-wal", $"{file}-shm" })
                File.Delete(left);
            if (e is SqliteException or IOException or UnauthorizedAccessException)
                throw new OperationFailedException(step, file, e.Message, inner: e);
            throw;
        }
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ConnectionString);
        connection.Open();
        return connection;
    }
}
