using System.Buffers;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Agent.Tee;

/// <summary>
/// SEV-SNP on hardware, by configfs-tsm with the sev_guest driver (Linux 6.7). It has not run on hardware yet:
/// docs/limitations.md.
/// </summary>
sealed class SevGuest(ConfigfsReport reports) : ITee
{
    /// <summary>ATTESTATION_REPORT: HOST_DATA at 0xc0, 32 bytes; 1184 bytes in all (SEV-SNP firmware ABI, table "ATTESTATION_REPORT").</summary>
    private const int ReportSize = 1184, HostDataOffset = 0xc0, HostDataSize = 32, ReportDataSize = 64;

    public string Tee => "snp";

    public bool IsSimulated => false;

    public Task<byte[]> GetInitDataFieldAsync(CancellationToken cancellationToken) =>
        Task.FromResult(Report(new byte[ReportDataSize]).Evidence.AsSpan(HostDataOffset, HostDataSize).ToArray());

    public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        var (report, certificates) = Report(TdxEvidence.PadReportData(reportData));
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteBase64String("attestation_report", report);
            if (certificates.Length == 0)
                json.WriteNull("cert_chain");
            else
                json.WriteBase64String("cert_chain", certificates);
            json.WriteEndObject();
        }

        return Task.FromResult<ReadOnlyMemory<byte>>(buffer.WrittenMemory);
    }

    /// <summary>SNP has no runtime registers for its guest's software.</summary>
    public Task<bool> ExtendAsync(string domain, string operation, string content, CancellationToken cancellationToken) => Task.FromResult(false);

    private (byte[] Evidence, byte[] Certificates) Report(byte[] reportData)
    {
        var (report, certificates) = reports.Request(reportData);
        return report.Length == ReportSize
            ? (report, certificates)
            : throw new MalformedDataException("SNP attestation report", report.Length, $"has not {ReportSize} bytes");
    }
}
