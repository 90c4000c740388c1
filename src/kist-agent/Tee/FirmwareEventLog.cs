using System.Buffers.Binary;
using Kist.Formats;

namespace Kist.Agent.Tee;

/// <summary>
/// The part of the firmware's log area that is used (TCG PC Client Platform Firmware Profile, "Event Logging"): the area
/// itself is as long as the firmware reserved.
/// <code>
/// first entry (TCG_PCR_EVENT): 4 register, 4 type, 20 SHA-1, 4 length, event
/// others (TCG_PCR_EVENT2): 4 register, 4 type, 4 count, count × (2 algorithm, digest), 4 length, event
/// </code>
/// </summary>
static class FirmwareEventLog
{
    private const uint Unused = 0xffffffff;

    public static ReadOnlySpan<byte> Used(ReadOnlySpan<byte> area)
    {
        var cursor = new SpanCursor(area, "CC event log");
        if (cursor.Remaining == 0)
            return [];
        cursor.ReadBytes(28);
        cursor.ReadBytes(cursor.ReadLength32LittleEndian(area.Length, "event"));
        while (cursor.Remaining >= 16 && BinaryPrimitives.ReadUInt32LittleEndian(cursor.Rest) != Unused && cursor.Rest[..16].ContainsAnyExcept((byte)0))
        {
            cursor.ReadBytes(8);
            var digests = cursor.ReadUInt32LittleEndian();
            for (var i = 0u; i < digests; i++)
                cursor.ReadBytes(DigestSize(cursor.ReadUInt16LittleEndian(), cursor));
            cursor.ReadBytes(cursor.ReadLength32LittleEndian(area.Length, "event"));
        }

        return area[..cursor.Position];
    }

    /// <summary>TPM_ALG_ID of the hashes that the profile knows.</summary>
    private static int DigestSize(ushort algorithm, SpanCursor at) => algorithm switch
    {
        0x0004 => 20,
        0x000b or 0x0012 => 32,
        0x000c => 48,
        0x000d => 64,
        _ => throw at.Malformed($"digest algorithm 0x{algorithm:x4} is not known"),
    };
}
