using Kist.Enclaves.Aesm;
using Kist.Enclaves.Platform;
using Kist.Enclaves.Sgx;

namespace Kist.Enclaves.Attestation;

/// <summary>EREPORT for the quoting enclave, and the quoting service: the way of every SGX quote.</summary>
/// <param name="platform">Executes EREPORT.</param>
/// <param name="aesm">Quotes.</param>
public sealed class PlatformQuoter(PlatformClient platform, AesmClient aesm) : IEnclaveQuoter
{
    /// <inheritdoc/>
    public async Task<byte[]> QuoteAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        var report = await ReportAsync(reportData, cancellationToken).ConfigureAwait(false);
        return await aesm.QuoteAsync(report, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The local report that would be quoted: 432 bytes, for the quoting enclave of this machine alone.</summary>
    public async Task<Report> ReportAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reportData.Length, ReportBody.ReportDataSize, nameof(reportData));
        var padded = new byte[ReportBody.ReportDataSize];
        reportData.CopyTo(padded);
        return platform.Report(await aesm.InitQuoteAsync(cancellationToken).ConfigureAwait(false), padded);
    }
}
