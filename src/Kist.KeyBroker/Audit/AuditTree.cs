using System.Data.Common;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Audit;

/// <summary>The audit log's Merkle tree as stored: the hash of each complete subtree, by level and position.</summary>
static class AuditTree
{
    public static long Size(DbConnection connection) => connection.Scalar<long>("SELECT size FROM audit_size WHERE id = 1");

    public static MerkleProver Prover(DbConnection connection) => new((level, position) => Node(connection, level, position));

    /// <summary>The complete subtrees that make up the tree of this size, from the largest.</summary>
    public static List<byte[]> Frontier(DbConnection connection, long size)
    {
        var hashes = new List<byte[]>();
        for (var level = 62; level >= 0; level--)
        {
            if ((size >> level & 1) == 1)
                hashes.Add(Node(connection, level, (size >> level) - 1));
        }

        return hashes;
    }

    /// <summary>Adds the next leaf. It completes one subtree for each trailing 1 of its position.</summary>
    public static void AddLeaf(DbConnection connection, long sequence, byte[] hash)
    {
        var (level, position) = (0, sequence);
        while (true)
        {
            connection.Execute(
                "INSERT INTO audit_node (level, position, hash) VALUES (@level, @position, @hash)",
                ("@level", level), ("@position", position), ("@hash", hash));
            if ((position & 1) == 0)
                return;
            hash = MerkleTree.NodeHash(Node(connection, level, position - 1), hash);
            (level, position) = (level + 1, position >> 1);
        }
    }

    private static byte[] Node(DbConnection connection, int level, long position) => connection.Scalar<byte[]>(
        "SELECT hash FROM audit_node WHERE level = @level AND position = @position", ("@level", level), ("@position", position))
        ?? throw new InvalidDataException($"the audit log lacks the hash of subtree {level}/{position}");
}
