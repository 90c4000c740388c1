using Kist.Attestation.Tdx;

namespace Kist.Attestation.Dcap;

/// <summary>Says what is wrong with a platform's TCB, and what its operator can do.</summary>
internal static class TcbRemedy
{
    /// <summary>One sentence for a status that is not accepted.</summary>
    public static string Explain(TcbEvaluation tcb) => tcb.Status switch
    {
        TcbStatus.NotSupported when tcb.ModuleMismatch is not null => "the TDX module is not one that Intel names",
        TcbStatus.NotSupported when tcb.QeLevel is null && tcb.Level is not null => "the quoting enclave is older than any that Intel supports",
        TcbStatus.NotSupported => "the platform matches no TCB level that Intel has published",
        TcbStatus.Revoked => "Intel has revoked this TCB level: its keys may be compromised",
        TcbStatus.OutOfDate or TcbStatus.OutOfDateConfigurationNeeded => $"the platform is {Behind(tcb)}",
        TcbStatus.TDRelaunchAdvised or TcbStatus.TDRelaunchAdvisedConfigurationNeeded =>
            "the guest was started under an outdated TDX module that has been updated since",
        TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSWHardeningNeeded =>
            "the platform's configuration leaves it open to a known attack",
        TcbStatus.SWHardeningNeeded => "the enclave's software has to be hardened against a known attack",
        TcbStatus.UpToDate => "the platform is up to date, which the policy does not accept",
        _ => "Intel gives the platform a status that is not known here",
    };

    /// <summary>What to do, as far as it follows from the TCB info.</summary>
    public static string For(TcbInfo info, TcbEvaluation tcb, DcapQuote quote, PckCertificate pck, TdReport? td)
    {
        var steps = new List<string>();
        switch (tcb.Status)
        {
            case TcbStatus.Revoked:
                return "do not use this platform at this TCB level; update its firmware and provision it anew";
            case TcbStatus.TDRelaunchAdvised or TcbStatus.TDRelaunchAdvisedConfigurationNeeded:
                steps.Add("start the guest again, so that it runs under the updated TDX module from the beginning");
                break;
            case TcbStatus.SWHardeningNeeded:
                return $"harden the enclave's software as {Names(tcb)} says, then accept the status in the policy";
        }

        if (TcbStatuses.NeedsConfiguration(tcb.Status))
            steps.Add($"change the platform's BIOS settings as {Names(tcb)} says (hyper-threading, most often)");
        if (TcbStatuses.IsOutOfDate(tcb.Status) || tcb.Status == TcbStatus.NotSupported)
            AddUpdates(steps, info, tcb, quote, pck, td);
        return steps.Count == 0 ? "see the advisories, and the policy's list of accepted statuses" : string.Join("; ", steps);
    }

    private static void AddUpdates(List<string> steps, TcbInfo info, TcbEvaluation tcb, DcapQuote quote, PckCertificate pck, TdReport? td)
    {
        var newest = info.Levels[0];
        if (tcb.Advisories.Count > 0)
            steps.Add($"missing {string.Join(", ", tcb.Advisories)}");
        for (var i = 0; i < 16; i++)
        {
            if (pck.Components[i] < newest.SgxComponents[i])
                steps.Add($"update {newest.ComponentNames[i] ?? "firmware or microcode"} (component {i + 1} is {pck.Components[i]}, newest {newest.SgxComponents[i]})");
        }

        if (pck.PceSvn < newest.PceSvn)
            steps.Add($"update the provisioning certification enclave (PCESVN {pck.PceSvn}, newest {newest.PceSvn})");
        if (td is not null && tcb.ModuleLevel is { Status: not TcbStatus.UpToDate })
            steps.Add($"update the TDX module (SVN {td.TeeTcbSvn.Span[0]}, major version {td.TeeTcbSvn.Span[1]})");
        if (tcb.QeLevel is null or { Status: not TcbStatus.UpToDate })
            steps.Add($"update the quoting enclave (ISVSVN {quote.QeReport.IsvSvn})");
        if (steps.Count > 0)
            steps.Add("then provision the platform again, so that it gets a PCK certificate of its new TCB");
    }

    private static string Behind(TcbEvaluation tcb) => tcb.LevelsBehind switch
    {
        0 => "out of date",
        1 => "1 TCB level behind",
        var n => $"{n} TCB levels behind",
    };

    private static string Names(TcbEvaluation tcb) =>
        tcb.Advisories.Count == 0 ? "Intel's guidance for this platform" : string.Join(", ", tcb.Advisories);
}
