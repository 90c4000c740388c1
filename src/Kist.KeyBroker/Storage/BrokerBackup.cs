using Kist.Formats;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Hosting;
using Microsoft.Data.Sqlite;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// Copies of a broker's SQLite database. Secrets in it stay encrypted: the master key is kept, and copied, elsewhere.
/// </summary>
public static class BrokerBackup
{
    private const string DatabaseFile = "broker.db";

    /// <summary>Copies the database while the broker may be running; the copy is of one moment.</summary>
    /// <param name="stateDirectory">The broker's state folder.</param>
    /// <param name="file">Where the copy goes; it must not exist.</param>
    /// <exception cref="OperationFailedException">There is no database, or the copy cannot be written.</exception>
    public static void Create(string stateDirectory, string file)
    {
        var source = Path.Combine(stateDirectory, DatabaseFile);
        if (!File.Exists(source))
            throw new OperationFailedException("back the broker up", source, "there is no database", "give the broker's state folder");
        if (File.Exists(file))
            throw new OperationFailedException("back the broker up", file, "the file exists", "choose another name");
        try
        {
            PrivateFile.Write(file, "");
            using var from = Open(source, SqliteOpenMode.ReadOnly);
            using var to = Open(file, SqliteOpenMode.ReadWrite);
            from.BackupDatabase(to);
            // One file without a log beside it.
            to.Execute("PRAGMA journal_mode=DELETE");
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            File.Delete(file);
            throw new OperationFailedException("back the broker up", file, e.Message, inner: e);
        }
    }

    /// <summary>Checks a copy, and puts it into a state folder that has no database.</summary>
    /// <returns>Number of entries of the audit log, all of which were hashed anew.</returns>
    /// <exception cref="OperationFailedException">The copy is damaged, or the folder has a database.</exception>
    public static long Restore(string file, string stateDirectory)
    {
        var target = Path.Combine(stateDirectory, DatabaseFile);
        if (File.Exists(target))
            throw new OperationFailedException("restore the broker", target, "there is a database already", "move it away, or give an empty folder");
        PrivateFile.CreateFolder(stateDirectory);
        var entries = Check(file);
        try
        {
            PrivateFile.Write(target, "");
            using var from = Open(file, SqliteOpenMode.ReadOnly);
            using var to = Open(target, SqliteOpenMode.ReadWrite);
            from.BackupDatabase(to);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            File.Delete(target);
            throw new OperationFailedException("restore the broker", target, e.Message, inner: e);
        }

        return entries;
    }

    private static long Check(string file)
    {
        OperationFailedException Damaged(string reason, Exception? inner = null) => new("check the broker's copy", file, reason, "use another copy", inner: inner);
        try
        {
            using var connection = Open(file, SqliteOpenMode.ReadOnly);
            if (connection.Scalar<string>("PRAGMA integrity_check") is var answer && answer != "ok")
                throw Damaged($"the database is damaged: {answer}");
            var size = connection.Scalar<long>("SELECT size FROM audit_size WHERE id = 1");
            var tree = new MerkleFrontier();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT sequence, body FROM audit_entry ORDER BY sequence";
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                if (reader.GetInt64(0) != tree.Size)
                    throw Damaged($"the audit log lacks entry {tree.Size}");
                tree.Add(MerkleTree.LeafHash(reader.Bytes(1)));
            }

            var prover = new MerkleProver((level, position) => connection.Scalar<byte[]>(
                "SELECT hash FROM audit_node WHERE level = @level AND position = @position", ("@level", level), ("@position", position)) ?? new byte[MerkleTree.HashBytes]);
            if (tree.Size != size || !tree.Root().AsSpan().SequenceEqual(prover.Root(size)))
                throw Damaged("the audit log's entries do not give its root");
            return size;
        }
        catch (SqliteException e)
        {
            throw Damaged(e.Message, e);
        }
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ConnectionString);
        connection.Open();
        return connection;
    }
}
