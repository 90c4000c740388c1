using System.Text.Json;
using Kist.Attestation.Snp;
using Kist.Attestation.Tpm;

namespace Kist.Attestation.AzureVtpm;

/// <summary>Azure's confidential machines in the table of TEEs, once for SNP and once for TDX.</summary>
/// <param name="tdx">True for az-tdx-vtpm, false for az-snp-vtpm.</param>
internal sealed class AzureTee(bool tdx) : ITeeVerifier
{
    public string Tee => tdx ? "az-tdx-vtpm" : "az-snp-vtpm";

    public IEnumerable<FindingExplanation> Explanations
    {
        get
        {
            IEnumerable<FindingExplanation> own =
            [
                new($"{Tee}.hcl.type", "the paravisor's report is of this TEE", "SNP and TDX machines send the same structure with another hardware report."),
                new($"{Tee}.hcl.runtime_data", "the hardware vouches for the vTPM's key",
                    "Report data of the hardware report is the digest of the runtime data, a JSON document with the vTPM's attestation key (HCLAkPub)."),
                new($"{Tee}.tpm.quote", "the vTPM signed for this request", "The paravisor's report says who the vTPM is. Only a quote of the vTPM says that it is running now, and in what state."),
                new($"{Tee}.hcl.user_data", "the paravisor's report was made for this request", "From evidence version 2 on, user-data of the runtime data holds the value that was asked for."),
                new($"{Tee}.binding.report_data", "the quote was made for this request", "extraData of the vTPM's quote holds the value that was asked for."),
                new($"{Tee}.binding.init_data", "the guest was started with the announced init-data", "PCR 8 holds the digest, extended once from zero."),
                new($"{Tee}.debug", "nobody can look into the guest", "The hardware report says that debugging is allowed."),
                new($"{Tee}.simulated", "the evidence is of real hardware", "The chain ends at the root of a simulated platform."),
            ];
            return tdx ? own.Concat(Dcap.DcapExplanations.For(Tee)) : own;
        }
    }

    // The paravisor's report alone: it can be read, and is refused for want of the vTPM's quote.
    public bool RecognisesBytes(ReadOnlySpan<byte> data) =>
        data.StartsWith("HCLA"u8) && data.Length > HclReport.TypeOffset && data[HclReport.TypeOffset] == (byte)(tdx ? HclReportType.Tdx : HclReportType.Snp);

    public bool RecognisesJson(JsonElement evidence)
    {
        bool Has(string name) => evidence.TryGetProperty(name, out _);
        if (evidence.ValueKind != JsonValueKind.Object)
            return false;
        return tdx
            ? Has("td_quote") && Has("hcl_report")
            : (Has("hcl_report") && Has("tpm_quote") && !Has("td_quote")) || (Has("report") && Has("quote") && Has("vcek"));
    }

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        if (evidence.Json is null && !evidence.Bytes.IsEmpty)
            AzureVerifier.VerifyReportAlone(tdx, HclReport.Parse(evidence.Bytes.Span), evidence.Certificates, options, verdict);
        else
            AzureVerifier.Verify(tdx, AzureEvidence.Read(evidence, tdx), binding, options, verdict);
    }

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        if (evidence.Json is null && !evidence.Bytes.IsEmpty)
            return Inspect(HclReport.Parse(evidence.Bytes.Span));
        var parsed = AzureEvidence.Read(evidence, tdx);
        return Inspect(parsed.Hcl).Concat(
            TpmInspector.Fields(parsed.Quote, parsed.Signature, parsed.Pcrs).Select(f => f with { Path = $"tpm.{f.Path}" }));
    }

    private IEnumerable<EvidenceField> Inspect(HclReport report)
    {
        yield return new("hcl.version", 4, 4, $"{report.Version}");
        yield return new("hcl.report_type", HclReport.TypeOffset, 4, $"{(int)report.Type}", report.Type.ToString());
        yield return new("hcl.hash", 1228, 4, report.Hash.Name ?? "", "of the runtime data");
        yield return new("hcl.runtime_data", 1236, report.RuntimeData.Length,
            System.Text.Encoding.UTF8.GetString(report.RuntimeData.Span), "bound by the hardware report");
        if (tdx)
            yield break;
        foreach (var field in SnpInspector.ReportFields(SnpReportReader.Parse(report.HardwareReport.Span), HclReport.HardwareOffset))
            yield return field with { Path = $"hcl.{field.Path}" };
    }
}
