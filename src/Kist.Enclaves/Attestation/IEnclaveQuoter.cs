namespace Kist.Enclaves.Attestation;

/// <summary>What lets an enclave prove itself: quotes over data of its choice.</summary>
public interface IEnclaveQuoter
{
    /// <summary>A quote whose report data is <paramref name="reportData"/> (at most 64 bytes; zeros follow).</summary>
    Task<byte[]> QuoteAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken);
}
