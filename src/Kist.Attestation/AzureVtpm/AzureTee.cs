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
                new($"{Tee}.hcl.user_data", "the paravisor's report was made for this request", "From evidence version 2 on, user-data of the runtime data holds the value that was asked for."),
                new($"{Tee}.binding.report_data", "the quote was made for this request", "extraData of the vTPM's quote holds the value that was asked for."),
                new($"{Tee}.binding.init_data", "the guest was started with the announced init-data", "PCR 8 holds the digest, extended once from zero."),
                new($"{Tee}.debug", "nobody can look into the guest", "The hardware report says that debugging is allowed."),
                new($"{Tee}.simulated", "the evidence is of real hardware", "The chain ends at the root of a simulated platform."),
            ];
            return tdx ? own.Concat(Dcap.DcapExplanations.For(Tee)) : own;
        }
    }

    // The paravisor's report alone cannot be judged: the quote lies beside it.
    public bool RecognisesBytes(ReadOnlySpan<byte> data) => false;

    public bool RecognisesJson(JsonElement evidence)
    {
        bool Has(string name) => evidence.TryGetProperty(name, out _);
        if (evidence.ValueKind != JsonValueKind.Object)
            return false;
        return tdx
            ? Has("td_quote") && Has("hcl_report")
            : (Has("hcl_report") && Has("tpm_quote") && !Has("td_quote")) || (Has("report") && Has("quote") && Has("vcek"));
    }

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict) =>
        AzureVerifier.Verify(tdx, AzureEvidence.Read(evidence, tdx), binding, options, verdict);

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var parsed = AzureEvidence.Read(evidence, tdx);
        yield return new("hcl.version", 4, 4, $"{parsed.Hcl.Version}");
        yield return new("hcl.report_type", 1224, 4, $"{(int)parsed.Hcl.Type}", parsed.Hcl.Type.ToString());
        yield return new("hcl.hash", 1228, 4, parsed.Hcl.Hash.Name ?? "", "of the runtime data");
        yield return new("hcl.runtime_data", 1236, parsed.Hcl.RuntimeData.Length,
            System.Text.Encoding.UTF8.GetString(parsed.Hcl.RuntimeData.Span), "bound by the hardware report");
        if (!tdx)
        {
            foreach (var field in SnpInspector.ReportFields(SnpReportReader.Parse(parsed.Hcl.HardwareReport.Span), HclReport.HardwareOffset))
                yield return field with { Path = $"hcl.{field.Path}" };
        }

        foreach (var field in TpmInspector.Fields(parsed.Quote, parsed.Signature, parsed.Pcrs))
            yield return field with { Path = $"tpm.{field.Path}" };
    }
}
