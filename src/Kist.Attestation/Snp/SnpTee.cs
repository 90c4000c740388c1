using System.Buffers.Binary;
using System.Text.Json;

namespace Kist.Attestation.Snp;

/// <summary>SEV-SNP in the table of TEEs.</summary>
internal sealed class SnpTee : ITeeVerifier
{
    public string Tee => "snp";

    public IEnumerable<FindingExplanation> Explanations => SnpExplanations.All;

    public bool RecognisesBytes(ReadOnlySpan<byte> data) =>
        SnpTsmReport.IsCbor(data)
        || data.Length >= SnpReport.Size && IsReport(data) && (data.Length == SnpReport.Size || HasTable(data[SnpReport.Size..]));

    public bool RecognisesJson(JsonElement evidence)
    {
        if (evidence.ValueKind != JsonValueKind.Object)
            return false;
        if (SnpTsmReport.Find(evidence) is { } tsm)
            return tsm.TryGetProperty("provider", out var provider) && provider.ValueKind == JsonValueKind.String
                && provider.GetString()!.Trim() == "sev_guest";
        return evidence.TryGetProperty("attestation_report", out var report) && report.ValueKind == JsonValueKind.Object
            && report.TryGetProperty("reported_tcb", out _);
    }

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var parsed = SnpEvidence.Read(evidence);
        SnpVerifier.Verify(parsed, options, verdict);
        BindingCheck.ReportData(verdict, binding.ReportData, parsed.Report.ReportData.Span);
        BindingCheck.InitData(verdict, binding.InitDataDigest, parsed.Report.HostData.Span, "HOST_DATA");
    }

    public IEnumerable<EvidenceField> Inspect(Evidence evidence) => SnpInspector.Fields(SnpEvidence.Read(evidence));

    private static bool IsReport(ReadOnlySpan<byte> data) =>
        BinaryPrimitives.ReadUInt32LittleEndian(data) is >= 2 and <= 16
        && BinaryPrimitives.ReadUInt32LittleEndian(data[0x034..]) == 1
        && (data[0x00A] & 2) != 0;

    // A table begins with an entry that points past itself, or is empty.
    private static bool HasTable(ReadOnlySpan<byte> table) =>
        table.Length >= 24 && BinaryPrimitives.ReadUInt32LittleEndian(table[16..]) <= (uint)table.Length;
}
