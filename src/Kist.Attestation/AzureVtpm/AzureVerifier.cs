using System.Security.Cryptography;
using Kist.Attestation.Dcap;
using Kist.Attestation.Snp;
using Kist.Attestation.Tdx;
using Kist.Attestation.Tpm;

namespace Kist.Attestation.AzureVtpm;

/// <summary>
/// Judges evidence of an Azure confidential machine, link by link: the hardware's report binds the paravisor's runtime data,
/// which holds the vTPM's attestation key, which signs the quote, which covers the registers and the request.
/// </summary>
internal static class AzureVerifier
{
    private const string Spec = "Azure vTPM attestation report; azure-cvm-tooling";

    public static void Verify(bool tdx, AzureEvidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var expected = tdx ? HclReportType.Tdx : HclReportType.Snp;
        verdict.Check($"{verdict.Tee}.hcl.type", evidence.Hcl.Type == expected, "the paravisor's report must carry this TEE's hardware report",
            $"{expected}", $"{evidence.Hcl.Type}", "send the evidence under the TEE that it is of", Spec);
        var reportData = tdx ? VerifyTdx(evidence, options, verdict) : VerifySnp(evidence.Hcl, evidence.Endorsement, options, verdict);
        var hardware = verdict.Claims!;
        CheckRuntimeData(evidence.Hcl, reportData, verdict);
        TpmQuoteCheck.Signature(evidence.Quote, evidence.Signature, evidence.Runtime.Key, verdict);
        var pcrs = TpmQuoteCheck.Pcrs(evidence.Quote, evidence.Signature.Hash, evidence.Pcrs, verdict);
        verdict.Claims = new AzureClaims
        {
            Hardware = hardware,
            Quote = evidence.Quote,
            Pcrs = pcrs,
            Configuration = evidence.Runtime.Configuration,
        };
        BindingCheck.ReportData(verdict, binding.ReportData, evidence.Quote.ExtraData.Span);
        CheckUserData(evidence, binding, verdict);
        TpmQuoteCheck.InitData(pcrs, binding, verdict);
    }

    /// <summary>
    /// Says what a paravisor's report shows by itself. It is never accepted: it names the vTPM's key, and nothing in it is
    /// signed by that key.
    /// </summary>
    public static void VerifyReportAlone(
        bool tdx, HclReport report, ReadOnlyMemory<byte> certificates, VerificationOptions options, VerdictBuilder verdict)
    {
        if (!tdx)
            CheckRuntimeData(report, VerifySnp(report, certificates, options, verdict), verdict);
        verdict.Fail($"{verdict.Tee}.tpm.quote", "without a quote of the vTPM it is unknown whether that machine still runs, and in what state",
            tdx ? "JSON with tpm_quote, hcl_report and td_quote" : "JSON with tpm_quote, hcl_report and vcek", "the paravisor's report alone",
            "let the guest's attester collect the whole evidence", Spec);
    }

    private static ReadOnlyMemory<byte> VerifySnp(HclReport hcl, ReadOnlyMemory<byte> endorsement, VerificationOptions options, VerdictBuilder verdict)
    {
        var report = SnpReportReader.Parse(hcl.HardwareReport.Span);
        var certificates = endorsement.IsEmpty ? [] : SnpEvidence.Loose(endorsement, report.SigningKey).ToList();
        SnpVerifier.Verify(new SnpEvidence(report, certificates), options, verdict);
        return report.ReportData;
    }

    private static ReadOnlyMemory<byte> VerifyTdx(AzureEvidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        // The TDREPORT in the paravisor's report carries a MAC that only its machine can check; the quote says the same, signed.
        var quote = DcapQuoteReader.Read(evidence.Endorsement);
        if (!quote.IsTdx)
            throw new Kist.Formats.MalformedDataException("Azure vTPM evidence", -1, "td_quote is not of a TD");
        return TdxVerifier.VerifyQuote(quote, null, new Evidence { Tee = "tdx", Bytes = evidence.Endorsement }, options, verdict).ReportData;
    }

    private static void CheckRuntimeData(HclReport hcl, ReadOnlyMemory<byte> reportData, VerdictBuilder verdict)
    {
        var expected = new byte[reportData.Length];
        hcl.RuntimeDigest().CopyTo(expected, 0);
        verdict.Check($"{verdict.Tee}.hcl.runtime_data", CryptographicOperations.FixedTimeEquals(expected, reportData.Span),
            "the hardware report must bind the runtime data, which holds the vTPM's key", Convert.ToHexStringLower(expected),
            Convert.ToHexStringLower(reportData.Span), "the two are of different boots, or were changed: collect the evidence again", Spec);
    }

    private static void CheckUserData(AzureEvidence evidence, ExpectedBinding binding, VerdictBuilder verdict)
    {
        // From version 2 on the guest also puts the value into the paravisor's report, before it asks for the hardware's.
        if (evidence.Version < 2 || binding.ReportData is not { } value)
            return;
        var holds = evidence.Runtime.UserData.Length >= value.Length && value.Length > 0
            && CryptographicOperations.FixedTimeEquals(evidence.Runtime.UserData.AsSpan(0, value.Length), value.Span);
        verdict.Check($"{verdict.Tee}.hcl.user_data", holds, "the paravisor's report must be made for this request",
            Convert.ToHexStringLower(value.Span), Convert.ToHexStringLower(evidence.Runtime.UserData),
            "the evidence is a replay, or guest and verifier compute the value differently", Spec);
    }
}
