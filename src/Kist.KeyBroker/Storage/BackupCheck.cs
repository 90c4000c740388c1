using System.Data.Common;
using Kist.Formats;
using Kist.KeyBroker.Audit;
using Microsoft.Data.Sqlite;

namespace Kist.KeyBroker.Storage;

/// <summary>Is a copy whole, and does its audit log give its own root?</summary>
static class BackupCheck
{
    // Checkpoints came with this version of the schema.
    private const long CheckpointVersion = 5;

    /// <summary>Checks a copy.</summary>
    /// <returns>Number of entries of the audit log, all of which were hashed anew.</returns>
    /// <exception cref="OperationFailedException">It is damaged.</exception>
    public static long Run(string file)
    {
        OperationFailedException Damaged(string reason, Exception? inner = null) => new("check the broker's copy", file, reason, "use another copy", inner: inner);
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
            connection.Open();
            if (connection.Scalar<string>("PRAGMA integrity_check") is var answer && answer != "ok")
                throw Damaged($"the database is damaged: {answer}");
            var size = AuditTree.Size(connection);
            var tree = Beginning(connection);
            var begins = tree.Size;
            connection.Visit("SELECT sequence, body FROM audit_entry WHERE sequence >= @from ORDER BY sequence", reader =>
            {
                if (reader.GetInt64(0) != tree.Size)
                    throw Damaged($"the audit log lacks entry {tree.Size}");
                tree.Add(MerkleTree.LeafHash(reader.Bytes(1)));
            }, ("@from", begins));
            if (tree.Size != size || !tree.Root().AsSpan().SequenceEqual(AuditTree.Prover(connection).Root(size)))
                throw Damaged("the audit log's entries do not give its root");
            return size - begins;
        }
        catch (Exception e) when (e is SqliteException or InvalidDataException or MalformedDataException)
        {
            throw Damaged(e.Message, e);
        }
    }

    private static MerkleFrontier Beginning(DbConnection connection)
    {
        if (connection.Scalar<long>("SELECT MAX(version) FROM schema_version") < CheckpointVersion || AuditCheckpoint.Latest(connection) is not { } checkpoint)
            return new MerkleFrontier();
        var tree = AuditCheckpoint.Frontier(checkpoint);
        return Convert.ToHexStringLower(tree.Root()) == checkpoint.Head.Root ? tree : throw new InvalidDataException("the audit log's checkpoint is not the root of what was removed");
    }
}
