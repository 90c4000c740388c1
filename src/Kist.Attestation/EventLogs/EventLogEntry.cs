using System.Collections.Immutable;

namespace Kist.Attestation.EventLogs;

/// <summary>A digest of an event in one bank.</summary>
/// <param name="Hash">The bank.</param>
/// <param name="Value">The digest.</param>
public readonly record struct EventDigest(EventLogHash Hash, ReadOnlyMemory<byte> Value);

/// <summary>One event of a log.</summary>
/// <param name="Offset">Offset in the log.</param>
/// <param name="Index">Register: PCR for a TPM; for TDX 0 is MRTD and 1 to 4 are RTMR0 to RTMR3.</param>
/// <param name="Type">What happened; see <see cref="EventTypes"/>.</param>
/// <param name="Digests">What was extended, a digest a bank.</param>
/// <param name="Data">The event's own data, which the digest covers for some types only.</param>
public sealed record EventLogEntry(int Offset, int Index, uint Type, ImmutableArray<EventDigest> Digests, ReadOnlyMemory<byte> Data)
{
    /// <summary>The digest in a bank, or empty if the event has none there.</summary>
    public ReadOnlyMemory<byte> DigestOf(EventLogHash hash)
    {
        foreach (var digest in Digests)
        {
            if (digest.Hash == hash)
                return digest.Value;
        }

        return default;
    }

    /// <summary>True if some digest is that of <see cref="Data"/> itself, so that the data is as trustworthy as the register.</summary>
    public bool DigestMatchesData
    {
        get
        {
            foreach (var (hash, value) in Digests)
            {
                if (hash != EventLogHash.Sm3 && value.Span.SequenceEqual(EventLogHashes.Compute(hash, Data.Span)))
                    return true;
            }

            return false;
        }
    }
}
