using Kist.Attestation.Tdx;

namespace Kist.Attestation.Dcap;

/// <summary>Judges how a platform compares with Intel's statements, by the caller's policy.</summary>
internal sealed class TcbChecks(string tee, TcbInfo info, TcbEvaluation tcb, VerificationOptions options, VerdictBuilder verdict)
{
    private const string Spec = "Intel PCS API v4, \"Determining TCB status\"";

    public void Run(DcapQuote quote, PckCertificate pck, TdReport? td)
    {
        if (td is not null)
            CheckModule(td);
        CheckStatus(quote, pck, td);
        CheckAdvisories();
        CheckMinimumComponents(quote, pck, td);
        CheckChip(pck);
    }

    private void CheckModule(TdReport td)
    {
        var version = $"major version {td.TeeTcbSvn.Span[1]}, SVN {td.TeeTcbSvn.Span[0]}";
        verdict.Check(
            $"{tee}.module.identity", tcb.ModuleMismatch is null, "the TDX module is one that Intel names",
            "MRSIGNERSEAM and SEAMATTRIBUTES as in the TCB info", tcb.ModuleMismatch ?? version,
            "use a TDX module released by Intel, and TCB info that is new enough to know it", Spec,
            "the TDX module is not one that Intel names");
        if (tcb.ModuleLevel is { } level)
        {
            verdict.Pass(
                $"{tee}.module.status", "the TDX module's own status, which counts in the platform's",
                actual: $"{version}: {level.Status}{Join(level.Advisories)}", spec: Spec);
        }
    }

    private void CheckStatus(DcapQuote quote, PckCertificate pck, TdReport? td)
    {
        var status = tcb.Status.ToString();
        var accepted = options.Tcb.AcceptedStatuses.Contains(status)
            && tcb.Status is not (TcbStatus.Unrecognized or TcbStatus.NotSupported or TcbStatus.Revoked);
        var inGrace = !accepted && IsInGrace();
        var actual = tcb.Level is null ? "the platform reaches no published TCB level"
            : $"{status}{(tcb.Date is { } date ? $", level of {Timestamp.FormatDate(date)}" : "")}, evaluation {info.EvaluationDataNumber}{Join(tcb.Advisories)}";
        verdict.Check(
            $"{tee}.tcb.status", accepted || inGrace,
            inGrace ? $"the platform is out of date, within the policy's grace period of {options.Tcb.GracePeriod.TotalDays:0.#} days"
                : accepted ? "the platform's TCB is good enough for the policy"
                : TcbRemedy.Explain(tcb),
            string.Join(" or ", options.Tcb.AcceptedStatuses.Order(StringComparer.Ordinal)), actual,
            TcbRemedy.For(info, tcb, quote, pck, td), Spec);
    }

    /// <summary>Outdated platforms may be given time; revoked, unknown and badly configured ones may not.</summary>
    private bool IsInGrace() =>
        options.Tcb.GracePeriod > TimeSpan.Zero
        && tcb.Status is TcbStatus.OutOfDate or TcbStatus.TDRelaunchAdvised
        && tcb.Date is { } date && date + options.Tcb.GracePeriod >= options.Time;

    private void CheckAdvisories()
    {
        var policy = options.Tcb;
        if (policy.AcceptedAdvisories is null && policy.RejectedAdvisories.Count == 0)
            return;
        var bad = tcb.Advisories.Where(a => policy.RejectedAdvisories.Contains(a) || policy.AcceptedAdvisories?.Contains(a) == false).ToList();
        verdict.Check(
            $"{tee}.tcb.advisories", bad.Count == 0, "the policy accepts every advisory that applies to the platform",
            policy.AcceptedAdvisories is { } list ? $"only {string.Join(", ", list.Order(StringComparer.Ordinal))}" : $"none of {string.Join(", ", policy.RejectedAdvisories.Order(StringComparer.Ordinal))}",
            bad.Count == 0 ? string.Join(", ", tcb.Advisories) : string.Join(", ", bad),
            "update the platform as the advisories say, or accept them in the policy after reading them", Spec,
            "advisories apply to the platform that the policy does not accept");
    }

    private void CheckMinimumComponents(DcapQuote quote, PckCertificate pck, TdReport? td)
    {
        foreach (var (name, minimum) in options.Tcb.MinimumComponents.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            var value = ComponentValue(name, quote, pck, td);
            verdict.Check(
                $"{tee}.tcb.minimum.{name}", value >= minimum, "the component is as new as the policy asks",
                $"at least {minimum}", value is null ? $"{tee} has no component of that name" : $"{value}",
                "update the platform's firmware, or correct the policy", failure: "the component is older than the policy asks");
        }
    }

    private static int? ComponentValue(string name, DcapQuote quote, PckCertificate pck, TdReport? td)
    {
        if (name == "pcesvn")
            return pck.PceSvn;
        if (name == "qe_isvsvn")
            return quote.QeReport.IsvSvn;
        if (name.Length == 15 && name.EndsWith("svn", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(10, 2), out var number) && number is >= 1 and <= 16)
        {
            if (name.StartsWith("sgxtcbcomp", StringComparison.Ordinal))
                return pck.Components[number - 1];
            if (name.StartsWith("tdxtcbcomp", StringComparison.Ordinal))
                return td?.TeeTcbSvn.Span[number - 1];
        }

        return null;
    }

    private void CheckChip(PckCertificate pck)
    {
        if (options.Tcb.AllowedChips is not { } allowed)
            return;
        var names = new[] { pck.Ppid, pck.PlatformInstanceId, pck.Fmspc }.Where(n => !n.IsEmpty).Select(n => Convert.ToHexStringLower(n.Span)).ToList();
        verdict.Check(
            $"{tee}.platform.allowed", names.Any(allowed.Contains), "the platform is on the policy's list",
            $"one of {allowed.Count} listed platforms", $"PPID {names[0]}, FMSPC {pck.FmspcText}",
            "run on a listed platform, or add this one to the list after establishing whose it is",
            failure: "the platform is not on the policy's list");
    }

    private static string Join(IReadOnlyCollection<string> advisories) =>
        advisories.Count == 0 ? "" : $" ({string.Join(", ", advisories)})";
}
