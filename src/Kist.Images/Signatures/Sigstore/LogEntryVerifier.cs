using System.Security.Cryptography;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>Verifies that a transparency log has, or has promised to have, an entry.</summary>
static class LogEntryVerifier
{
    private const int MaxProofHashes = 64;

    /// <summary>Verifies an entry's promise and proof, whichever there are; one there must be.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="logs">The logs that are trusted.</param>
    /// <returns>Why not, or null; and the time at which the log took it, if it promised one.</returns>
    public static (string? Reason, DateTimeOffset? Time) Verify(LogEntry entry, IReadOnlyList<LogKey> logs)
    {
        if (entry.Promise is null && entry.Proof is null)
            return ("the log's entry has neither promise nor proof", null);
        var checkpoint = entry.Proof is null ? null : Checkpoint.TryRead(entry.Proof.Checkpoint);
        if (logs.FirstOrDefault(l => l.IdOf(checkpoint?.Origin ?? "").AsSpan().SequenceEqual(entry.LogId)) is not { } log)
            return ("the entry is of a transparency log that is not trusted", null);
        DateTimeOffset? time = null;
        if (entry.Promise is { } promise)
        {
            if (!log.Verify(PromisedBytes(entry), promise))
                return ("the log's promise is not signed by the log", null);
            time = DateTimeOffset.FromUnixTimeSeconds(entry.IntegratedTime);
            if (!log.IsValidAt(time.Value))
                return ("the log's key did not count any more, or not yet", null);
        }

        return (entry.Proof is { } proof ? CheckProof(entry.Body, proof, checkpoint, log) : null, time);
    }

    // Canonical JSON (RFC 8785) of body, integratedTime, logID and logIndex.
    private static byte[] PromisedBytes(LogEntry entry)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteBase64String("body", entry.Body);
            json.WriteNumber("integratedTime", entry.IntegratedTime);
            json.WriteString("logID", Convert.ToHexStringLower(entry.LogId));
            json.WriteNumber("logIndex", entry.Index);
            json.WriteEndObject();
        }

        return JsonCanonicalizer.Canonicalize(buffer.ToArray());
    }

    private static string? CheckProof(byte[] body, InclusionProof proof, Checkpoint? checkpoint, LogKey log)
    {
        if (proof.Index < 0 || proof.TreeSize <= proof.Index || proof.Hashes.Count > MaxProofHashes || proof.Hashes.Any(h => h.Length != SHA256.HashSizeInBytes))
            return "the log's proof makes no sense";
        if (RootOf(body, proof) is not { } root || !root.AsSpan().SequenceEqual(proof.RootHash))
            return "the log's proof does not lead to its root";
        if (checkpoint is null)
            return "the log's checkpoint is no signed note";
        if (checkpoint.TreeSize != proof.TreeSize || checkpoint.Root != Convert.ToBase64String(proof.RootHash))
            return "the log's checkpoint is for another tree";
        return checkpoint.IsSignedBy(log) ? null : "the log's checkpoint is not signed by the log";
    }

    // RFC 9162, section 2.1.3.2; null if the proof is too short or too long.
    private static byte[]? RootOf(byte[] body, InclusionProof proof)
    {
        var hash = SHA256.HashData([0, .. body]);
        var (node, last) = (proof.Index, proof.TreeSize - 1);
        foreach (var sibling in proof.Hashes)
        {
            if (last == 0)
                return null;
            if ((node & 1) == 1 || node == last)
            {
                hash = SHA256.HashData([1, .. sibling, .. hash]);
                while ((node & 1) == 0 && node != 0)
                    (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                hash = SHA256.HashData([1, .. hash, .. sibling]);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 ? hash : null;
    }
}
