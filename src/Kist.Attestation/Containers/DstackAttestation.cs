namespace Kist.Attestation.Containers;

/// <summary>
/// dstack's versioned attestation in SCALE (dstack-attest, VersionedAttestation::V0): version 0, one byte for the platform,
/// then the platform's quote or document as bytes with a compact length. What follows (a stripped event log, the report data
/// once more, the machine's configuration) is signed by nobody and not read.
/// </summary>
internal static class DstackAttestation
{
    private const int Platforms = 5;
    private const int LeastQuote = 512;

    /// <summary>The quote or document; empty if the bytes cannot be such an attestation.</summary>
    public static ReadOnlyMemory<byte> QuoteOf(ReadOnlyMemory<byte> data)
    {
        var span = data.Span;
        if (span.Length < LeastQuote || span[0] != 0 || span[1] >= Platforms)
            return default;
        // SCALE's compact integers: the two lowest bits say how many bytes there are.
        var (length, size) = (span[2] & 3) switch
        {
            1 => ((span[2] | (span[3] << 8)) >> 2, 2),
            2 => ((int)((span[2] | ((uint)span[3] << 8) | ((uint)span[4] << 16) | ((uint)span[5] << 24)) >> 2), 4),
            _ => (0, 0),
        };
        return length >= LeastQuote && length <= span.Length - 2 - size ? data.Slice(2 + size, length) : default;
    }
}
