using System.Data.Common;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Audit;

/// <summary>
/// Where the log begins once old entries were removed: a signed head over what was removed. The hashes of the tree stay, so
/// that proofs of what is left, and of what an auditor exported before, hold as they did.
/// </summary>
static class AuditCheckpoint
{
    /// <summary>Number of entries that were removed; 0 if none ever was.</summary>
    public static long SizeOfLatest(DbConnection connection) => connection.Scalar<long>("SELECT MAX(size) FROM audit_checkpoint");

    /// <summary>The latest checkpoint, or null if nothing was ever removed.</summary>
    public static AuditCheckpointDocument? Latest(DbConnection connection) => connection.Single(
        "SELECT head FROM audit_checkpoint ORDER BY size DESC LIMIT 1", r => KbsJson.Read<AuditTreeHead>(r.Bytes(0), 65536)) is { } head
        ? new AuditCheckpointDocument { Head = head, Subtrees = [.. AuditTree.Frontier(connection, head.Size).Select(Convert.ToHexStringLower)] }
        : null;

    /// <summary>Keeps a head as the place where the log begins.</summary>
    public static void Add(DbConnection connection, AuditTreeHead head) => connection.Execute(
        "INSERT INTO audit_checkpoint (size, head) VALUES (@size, @head)", ("@size", head.Size), ("@head", KbsJson.Write(head)));

    /// <summary>The tree that a checkpoint says was there.</summary>
    /// <exception cref="MalformedDataException">It has not the hashes that a tree of its size has.</exception>
    public static MerkleFrontier Frontier(AuditCheckpointDocument checkpoint)
    {
        if (checkpoint.Subtrees.Count > 63 || checkpoint.Subtrees.Any(s => s is not { Length: 2 * MerkleTree.HashBytes } || !s.All(char.IsAsciiHexDigitLower)))
            throw new MalformedDataException("audit checkpoint", -1, "its subtrees are no hashes");
        return MerkleFrontier.From(checkpoint.Head.Size, [.. checkpoint.Subtrees.Select(Convert.FromHexString)]);
    }
}
