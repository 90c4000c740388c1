using System.Text.Json;
using Kist.Attestation.Dcap;

namespace Kist.Attestation.Sgx;

/// <summary>Judges SGX quotes: {"quote": base64}, or the quote's bytes.</summary>
internal sealed class SgxVerifier : ITeeVerifier
{
    public string Tee => "sgx";

    public IEnumerable<FindingExplanation> Explanations => DcapExplanations.For("sgx").Concat(SgxExplanations.All);

    public bool RecognisesBytes(ReadOnlySpan<byte> data) => DcapQuoteReader.LooksLikeQuote(data, tdx: false);

    public bool RecognisesJson(JsonElement evidence) => DcapEvidence.HasQuote(evidence, tdx: false);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var quote = DcapEvidence.ReadQuote(evidence, tdx: false);
        var report = EnclaveReport.Parse(quote.Body);
        verdict.IsDebug = report.IsDebug;
        var verification = new DcapVerification(quote, null, evidence, options, verdict);
        verification.Run();
        verdict.Claims = new SgxClaims(quote, report, DcapClaims.From(verification, options));
        if (options.Tcb.MinimumGuestSvn > 0)
        {
            verdict.Check(
                "sgx.enclave.svn", report.IsvSvn >= options.Tcb.MinimumGuestSvn, "the enclave's security version is as new as the policy asks",
                $"at least {options.Tcb.MinimumGuestSvn}", $"{report.IsvSvn}", "deploy the newer enclave",
                failure: "the enclave's security version is older than the policy asks");
        }

        BindingCheck.ReportData(verdict, binding.ReportData, report.ReportData.Span);
        BindingCheck.InitData(verdict, binding.InitDataDigest, report.ConfigId.Span, "CONFIGID");
    }

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var quote = DcapEvidence.ReadQuote(evidence, tdx: false);
        return DcapFields.Header(quote).Concat(DcapFields.Enclave("quote.body", quote.BodyOffset, EnclaveReport.Parse(quote.Body)))
            .Concat(DcapFields.Signature(quote));
    }
}
