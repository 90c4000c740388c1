using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Attestation.EventLogs;

/// <summary>
/// A firmware event log: of a TPM (TCG PC Client Platform Firmware Profile) or of a confidential VM (CCEL, UEFI 2.10 §38),
/// which share one format. Nothing in it is trustworthy before it replays to registers that a TEE signed.
/// </summary>
public sealed class EventLog
{
    internal EventLog(ImmutableArray<EventLogEntry> entries, ImmutableArray<EventLogHash> banks, int length, int size)
    {
        Entries = entries;
        Banks = banks;
        Length = length;
        Size = size;
    }

    /// <summary>The events in order, without the leading one that describes the format.</summary>
    public ImmutableArray<EventLogEntry> Entries { get; }

    /// <summary>The banks that the log says it has.</summary>
    public ImmutableArray<EventLogHash> Banks { get; }

    /// <summary>Where the last event ends.</summary>
    public int Length { get; }

    /// <summary>Size of the input; what follows <see cref="Length"/> is zeros or 0xFF.</summary>
    public int Size { get; }

    /// <summary>Reads a log. It may be followed by zeros or 0xFF bytes, as firmware fills its table.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static EventLog Parse(ReadOnlyMemory<byte> data) => EventLogReader.Read(data);

    /// <summary>The value that a register has after all events, starting at zero (or as a start-up locality event says).</summary>
    /// <param name="hash">The bank.</param>
    /// <param name="index">The register.</param>
    /// <returns>The value; the initial one if no event extends the register.</returns>
    public byte[] Replay(EventLogHash hash, int index)
    {
        var size = EventLogHashes.SizeOf(hash);
        var value = new byte[size];
        if (index == 0)
            value[^1] = StartupLocality();
        var buffer = new byte[2 * size];
        foreach (var entry in Entries)
        {
            if (entry.Index != index || entry.Type == EventTypes.NoAction)
                continue;
            var digest = entry.DigestOf(hash);
            if (digest.Length != size)
                continue;
            value.CopyTo(buffer, 0);
            digest.Span.CopyTo(buffer.AsSpan(size));
            value = EventLogHashes.Compute(hash, buffer);
        }

        return value;
    }

    /// <summary>
    /// The part of the log that a replay of these registers in this bank vouches for: informative events, other registers and
    /// other banks' digests are left out, since anyone could have added them.
    /// </summary>
    public EventLog CoveredBy(EventLogHash hash, int firstIndex, int lastIndex)
    {
        var entries = ImmutableArray.CreateBuilder<EventLogEntry>();
        foreach (var entry in Entries)
        {
            var digest = entry.DigestOf(hash);
            if (entry.Index >= firstIndex && entry.Index <= lastIndex && entry.Type != EventTypes.NoAction && !digest.IsEmpty)
                entries.Add(entry with { Digests = [new EventDigest(hash, digest)] });
        }

        return new EventLog(entries.ToImmutable(), [hash], Length, Size);
    }

    /// <summary>
    /// Separators that occur more than once in one register: a firmware error that makes logs ambiguous.
    /// </summary>
    public IEnumerable<EventLogEntry> RepeatedSeparators()
    {
        var seen = new HashSet<int>();
        foreach (var entry in Entries)
        {
            if (entry.Type == EventTypes.Separator && !seen.Add(entry.Index))
                yield return entry;
        }
    }

    /// <summary>PCR 0 starts at the locality of TPM2_Startup, which an informative event states (profile §10.4.5.3).</summary>
    private byte StartupLocality()
    {
        foreach (var entry in Entries)
        {
            if (entry.Type == EventTypes.NoAction && entry.Data.Length == 17 && entry.Data.Span.StartsWith("StartupLocality\0"u8))
                return entry.Data.Span[16];
        }

        return 0;
    }
}
