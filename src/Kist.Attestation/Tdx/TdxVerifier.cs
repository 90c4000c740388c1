using System.Text.Json;
using Kist.Attestation.Dcap;
using Kist.Attestation.EventLogs;

namespace Kist.Attestation.Tdx;

/// <summary>Judges TDX quotes: {"quote": base64, "cc_eventlog": base64 or null}, or the quote's bytes.</summary>
internal sealed class TdxVerifier : ITeeVerifier
{
    public string Tee => "tdx";

    public IEnumerable<FindingExplanation> Explanations => DcapExplanations.For("tdx").Concat(TdxExplanations.All);

    public bool RecognisesBytes(ReadOnlySpan<byte> data) => DcapQuoteReader.LooksLikeQuote(data, tdx: true);

    public bool RecognisesJson(JsonElement evidence) => DcapEvidence.HasQuote(evidence, tdx: true);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var quote = DcapEvidence.ReadQuote(evidence, tdx: true);
        var logBytes = DcapEvidence.EventLog(evidence);
        var log = logBytes.IsEmpty ? null : EventLog.Parse(logBytes);
        var report = VerifyQuote(quote, log, evidence, options, verdict);
        BindingCheck.ReportData(verdict, binding.ReportData, report.ReportData.Span);
        BindingCheck.InitData(verdict, binding.InitDataDigest, report.MrConfigId.Span, "MRCONFIGID");
    }

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var quote = DcapEvidence.ReadQuote(evidence, tdx: true);
        return DcapFields.Header(quote).Concat(TdxFields.Report(quote.BodyOffset, TdReport.Parse(quote.Body)))
            .Concat(DcapFields.Signature(quote)).Concat(TdxFields.Log(DcapEvidence.EventLog(evidence)));
    }

    /// <summary>All checks but the bindings, which differ where the quote is part of other evidence (Azure).</summary>
    public static TdReport VerifyQuote(DcapQuote quote, EventLog? log, Evidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        var report = TdReport.Parse(quote.Body);
        verdict.IsDebug |= report.IsDebug;
        var verification = new DcapVerification(quote, report, evidence, options, verdict);
        verification.Run();
        CheckAttributes(report, options, verdict);
        var replays = RtmrCheck.Run(verdict, log, report);
        verdict.Claims = new TdxClaims(quote, report, DcapClaims.From(verification, options), replays ? log!.CoveredBy(EventLogHash.Sha384, 1, 4) : null);
        return report;
    }

    private static void CheckAttributes(TdReport report, VerificationOptions options, VerdictBuilder verdict)
    {
        var tee = verdict.Tee;
        if (TdAttributes.HasSeptVeDisable(report) || options.Tcb.RequireSeptVeDisable)
        {
            verdict.Check(
                $"{tee}.attributes.sept_ve_disable", TdAttributes.HasSeptVeDisable(report),
                "the machine's owner cannot inject exceptions into the guest by unmapping its memory",
                "TDATTRIBUTES.SEPT_VE_DISABLE set", Convert.ToHexStringLower(report.TdAttributes.Span),
                "start the guest with SEPT_VE_DISABLE", "Intel TDX Module Base Architecture Specification, TD Attributes",
                "the machine's owner can inject exceptions into the guest by unmapping its memory");
        }
        else
        {
            verdict.NotChecked(
                $"{tee}.attributes.sept_ve_disable", "SEPT_VE_DISABLE is not set, and the policy does not ask for it: the guest's kernel must handle #VE on pending pages",
                "start the guest with SEPT_VE_DISABLE, or require it in the policy");
        }

        if (TdAttributes.IsMigratable(report))
        {
            verdict.NotChecked(
                $"{tee}.attributes.migratable", "the guest may be moved to another machine by a migration TD, which is not judged here",
                "compare quote.body.mr_servicetd with a reference value");
        }

        if (!report.IsVersion15)
            return;
        var none = !report.MrServiceTd.Span.ContainsAnyExcept((byte)0);
        var named = options.References.Any(r => r.Claim.EndsWith("mr_servicetd", StringComparison.Ordinal));
        verdict.Check(
            $"{tee}.service_td", none || named,
            none ? "no service TD is bound to the guest" : "a service TD is bound to the guest, and a reference value judges it",
            "MRSERVICETD zero, or a reference value for quote.body.mr_servicetd", Convert.ToHexStringLower(report.MrServiceTd.Span),
            "start the guest without a service TD, or give the reference value of the one you trust",
            "Intel TDX Module Base Architecture Specification, Service TDs",
            "a service TD, which can act on the guest, is bound, and nothing says that it may be trusted");
    }
}
