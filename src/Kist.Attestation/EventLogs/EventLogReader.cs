using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Attestation.EventLogs;

/// <summary>
/// Reads event logs (TCG PC Client Platform Firmware Profile 1.06, §10.2).
/// <code>
/// first event, and all events of an old log      later events of a crypto-agile log
///  0   4 register                                  0   4 register
///  4   4 type                                      4   4 type
///  8  20 SHA-1 digest                              8   4 number of digests
/// 28   4 size of data                             12   n each: algorithm (2), digest
/// 32   n data                                       .   4 size of data, then data
/// first event's data in a crypto-agile log: "Spec ID Event03\0", platform class (4), version (4), size of a UINTN (1 of
/// those 4), number of algorithms (4), each: id (2) and size (2); size of vendor data (1), vendor data
/// </code>
/// </summary>
internal static class EventLogReader
{
    private const int MaxEvents = 16384;
    private const int MaxBanks = 16;
    private const int MaxEventData = 1024 * 1024;
    private const string Structure = "event log";

    private static ReadOnlySpan<byte> SpecId03 => "Spec ID Event03\0"u8;

    public static EventLog Read(ReadOnlyMemory<byte> data)
    {
        if (data.Length > EvidenceLimits.EventLog)
            throw new MalformedDataException(Structure, -1, $"{data.Length} bytes, more than the limit of {EvidenceLimits.EventLog}");
        var cursor = new SpanCursor(data.Span, Structure);
        var first = ReadOldEvent(ref cursor, data);
        var entries = ImmutableArray.CreateBuilder<EventLogEntry>();
        var agile = first.Type == EventTypes.NoAction && first.Data.Span.StartsWith(SpecId03);
        var sizes = agile ? ReadBanks(first) : new Dictionary<EventLogHash, int> { [EventLogHash.Sha1] = 20 };
        if (!agile)
            entries.Add(first);
        // Found once: looking at each event would let a log of zeros cost the square of its size.
        var end = data.Span.LastIndexOfAnyExcept((byte)0, (byte)0xff) + 1;
        while (cursor.Remaining > 0 && cursor.Position < end && !IsUnused(data.Span[cursor.Position..]))
        {
            if (entries.Count == MaxEvents)
                throw cursor.Malformed($"there are more than {MaxEvents} events");
            entries.Add(agile ? ReadEvent(ref cursor, data, sizes) : ReadOldEvent(ref cursor, data));
        }

        return new EventLog(entries.ToImmutable(), [.. sizes.Keys], cursor.Position, data.Length);
    }

    // Firmware copies a log out of a larger area that was filled with ones, and sometimes more of it than the log.
    private static bool IsUnused(ReadOnlySpan<byte> rest) => rest.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFF, 0xFF, 0xFF]);

    private static EventLogEntry ReadOldEvent(ref SpanCursor cursor, ReadOnlyMemory<byte> data)
    {
        var offset = cursor.Position;
        var index = ReadIndex(ref cursor);
        var type = cursor.ReadUInt32LittleEndian();
        var digest = data.Slice(cursor.Position, cursor.ReadBytes(20).Length);
        return new EventLogEntry(offset, index, type, [new EventDigest(EventLogHash.Sha1, digest)], ReadData(ref cursor, data));
    }

    private static EventLogEntry ReadEvent(ref SpanCursor cursor, ReadOnlyMemory<byte> data, Dictionary<EventLogHash, int> sizes)
    {
        var offset = cursor.Position;
        var index = ReadIndex(ref cursor);
        var type = cursor.ReadUInt32LittleEndian();
        var count = cursor.ReadUInt32LittleEndian();
        if (count > MaxBanks)
            throw cursor.Malformed($"an event has {count} digests, more than {MaxBanks}");
        var digests = ImmutableArray.CreateBuilder<EventDigest>((int)count);
        for (var i = 0; i < count; i++)
        {
            var hash = (EventLogHash)cursor.ReadUInt16LittleEndian();
            if (!sizes.TryGetValue(hash, out var size))
                throw cursor.Malformed($"an event has a digest of {EventLogHashes.NameOf(hash)}, which the log does not announce");
            foreach (var earlier in digests)
            {
                if (earlier.Hash == hash)
                    throw cursor.Malformed($"an event has two digests of {EventLogHashes.NameOf(hash)}");
            }

            digests.Add(new EventDigest(hash, data.Slice(cursor.Position, cursor.ReadBytes(size).Length)));
        }

        return new EventLogEntry(offset, index, type, digests.ToImmutable(), ReadData(ref cursor, data));
    }

    private static int ReadIndex(ref SpanCursor cursor)
    {
        var index = cursor.ReadUInt32LittleEndian();
        return index < 64 ? (int)index : throw cursor.Malformed($"register {index} does not exist");
    }

    private static ReadOnlyMemory<byte> ReadData(ref SpanCursor cursor, ReadOnlyMemory<byte> data)
    {
        var size = cursor.ReadLength32LittleEndian(MaxEventData, "event data");
        return data.Slice(cursor.Position, cursor.ReadBytes(size).Length);
    }

    private static Dictionary<EventLogHash, int> ReadBanks(EventLogEntry first)
    {
        var cursor = new SpanCursor(first.Data.Span, "event log format event", first.Offset + 32);
        cursor.ReadBytes(SpecId03.Length + 8);
        var count = cursor.ReadUInt32LittleEndian();
        if (count is 0 or > MaxBanks)
            throw cursor.Malformed($"{count} algorithms, not 1 to {MaxBanks}");
        var sizes = new Dictionary<EventLogHash, int>();
        for (var i = 0; i < count; i++)
        {
            var hash = (EventLogHash)cursor.ReadUInt16LittleEndian();
            var size = cursor.ReadUInt16LittleEndian();
            var known = EventLogHashes.SizeOf(hash);
            if (size is 0 or > 128 || (known != 0 && known != size))
                throw cursor.Malformed($"{EventLogHashes.NameOf(hash)} is said to be {size} bytes");
            if (!sizes.TryAdd(hash, size))
                throw cursor.Malformed($"{EventLogHashes.NameOf(hash)} is announced twice");
        }

        cursor.ReadBytes(cursor.ReadByte());
        return sizes;
    }
}
