using Kist.Attestation.EventLogs;

namespace Kist.Attestation.Tdx;

/// <summary>Compares a log's replay with the quote's run-time measurement registers.</summary>
internal static class RtmrCheck
{
    private const string Spec = "Intel TDX Virtual Firmware Design Guide, \"Measurement Register Usage\"; UEFI 2.10 §38";

    /// <summary>
    /// Adds "{tee}.eventlog.rtmr0" to "…rtmr3" and returns whether all four replay. In a log, register 1 is RTMR0 and so on;
    /// register 0 is MRTD, which no log event extends.
    /// </summary>
    public static bool Run(VerdictBuilder verdict, EventLog? log, TdReport report)
    {
        if (log is null)
        {
            verdict.NotChecked(
                $"{verdict.Tee}.eventlog", "no event log was given: the run-time registers are known only as digests", "give the log with the evidence (--event-log)");
            return false;
        }

        var all = true;
        for (var i = 0; i < 4; i++)
        {
            var expected = report.Rtmr(i).Span;
            var replayed = log.Replay(EventLogHash.Sha384, i + 1);
            all &= verdict.Check(
                $"{verdict.Tee}.eventlog.rtmr{i}", replayed.AsSpan().SequenceEqual(expected),
                $"the event log replays to RTMR{i}", Convert.ToHexStringLower(expected), Convert.ToHexStringLower(replayed),
                "the log is of another boot, is incomplete (something extended the register outside it), or was changed; a repeated separator is a firmware error",
                Spec, $"the event log does not replay to RTMR{i}");
        }

        return all;
    }
}
