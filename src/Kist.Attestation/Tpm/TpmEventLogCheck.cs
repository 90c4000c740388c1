using System.Collections.Immutable;
using Kist.Attestation.EventLogs;

namespace Kist.Attestation.Tpm;

/// <summary>Compares a measured-boot log's replay with the quoted registers.</summary>
internal static class TpmEventLogCheck
{
    // Later registers are extended by the operating system and applications, outside the firmware's log.
    private const int LastFirmwareRegister = 7;

    /// <summary>
    /// Adds "tpm.eventlog.pcrN" for each quoted register that the log extends, and for registers 0 to 7 even if it does not.
    /// </summary>
    /// <returns>The log if every one of them replays, or null.</returns>
    public static EventLog? Run(
        ReadOnlyMemory<byte> bytes, TpmQuote quote, ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> pcrs, VerdictBuilder verdict)
    {
        if (bytes.IsEmpty)
        {
            verdict.NotChecked("tpm.eventlog", "no event log was given: the registers are known only as digests",
                "give the log with the evidence (--event-log)");
            return null;
        }

        var log = EventLog.Parse(bytes);
        if (pcrs.IsEmpty || Bank(quote.Selections[0].Bank) is not { } bank || !log.Banks.Contains(bank))
        {
            verdict.Fail("tpm.eventlog", "the log must hold digests of the quoted bank", string.Join("; ", quote.Selections),
                string.Join(", ", log.Banks), "give the log of the machine that quoted, with the same bank", "TCG PC Client Firmware Profile section 10");
            return null;
        }

        var extended = log.Entries.Where(e => e.Type != EventTypes.NoAction).Select(e => e.Index).ToHashSet();
        var all = true;
        foreach (var (index, value) in pcrs.Where(p => p.Key <= LastFirmwareRegister || extended.Contains(p.Key)))
        {
            var replayed = log.Replay(bank, index);
            all &= verdict.Check($"tpm.eventlog.pcr{index}", replayed.AsSpan().SequenceEqual(value.Span), $"the event log replays to PCR {index}",
                Convert.ToHexStringLower(value.Span), Convert.ToHexStringLower(replayed),
                "the log is of another boot, is incomplete (something extended the register outside it), or was changed",
                "TCG PC Client Firmware Profile section 10");
        }

        return all ? log.CoveredBy(bank, pcrs.Keys.Min(), pcrs.Keys.Max()) : null;
    }

    private static EventLogHash? Bank(TpmAlgorithm algorithm) => algorithm switch
    {
        TpmAlgorithm.Sha256 => EventLogHash.Sha256,
        TpmAlgorithm.Sha384 => EventLogHash.Sha384,
        TpmAlgorithm.Sha512 => EventLogHash.Sha512,
        _ => null,
    };
}
