using System.Buffers;
using System.Buffers.Binary;

namespace Kist.Measurement.EventLogs;

/// <summary>
/// Writes the event log of a confidential-computing measurement service (the CCEL): a crypto-agile TCG log with a
/// SHA-384 bank, whose measurement register index is 1 for RTMR0 up to 4 for RTMR3.
/// <code>
/// header, TCG_PCClientPCREvent      0 4 index 1   4 4 EV_NO_ACTION   8 20 zero   28 4 size   32 Spec ID event     PFP 10.2.1
/// Spec ID event   0 16 "Spec ID Event03\0"   16 4 platform class 0   20 1 minor 0   21 1 major 2   22 1 errata 0
///                23  1 UINTN size 2   24 4 algorithms 1   28 2 algorithm 0x000c   30 2 digest size 48   32 1 vendor size 0
/// event, TCG_PCR_EVENT2             0 4 index   4 4 type   8 4 digests 1   12 2 0x000c   14 48 digest   62 4 size   66 data
/// </code>
/// </summary>
public static class CcelWriter
{
    private const ushort AlgorithmSha384 = 0x000c;
    private const int DigestSize = 48;

    /// <summary>The whole log, without the unused rest of the area that ACPI reserves for it.</summary>
    /// <exception cref="ArgumentException">An event's digest is not 48 bytes, or its register is not an RTMR.</exception>
    public static byte[] Write(IEnumerable<MeasuredEvent> events)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        WriteHeader(buffer);
        foreach (var measured in events)
            WriteEvent(buffer, measured);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>One event as it stands in the log, for a log that grows.</summary>
    public static byte[] WriteEvent(MeasuredEvent measured)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        WriteEvent(buffer, measured);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteHeader(ArrayBufferWriter<byte> buffer)
    {
        const int SpecIdSize = 33;
        var header = buffer.GetSpan(32 + SpecIdSize)[..(32 + SpecIdSize)];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], TcgEventType.NoAction);
        BinaryPrimitives.WriteUInt32LittleEndian(header[28..], SpecIdSize);
        var specId = header[32..];
        "Spec ID Event03\0"u8.CopyTo(specId);
        specId[21] = 2;
        specId[23] = 2;
        BinaryPrimitives.WriteUInt32LittleEndian(specId[24..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(specId[28..], AlgorithmSha384);
        BinaryPrimitives.WriteUInt16LittleEndian(specId[30..], DigestSize);
        buffer.Advance(header.Length);
    }

    private static void WriteEvent(ArrayBufferWriter<byte> buffer, MeasuredEvent measured)
    {
        if (measured.Digest.Length != DigestSize)
            throw new ArgumentException($"a CCEL event has a SHA-384 digest, not {measured.Digest.Length} bytes", nameof(measured));
        if (measured.Register is < 0 or > 3)
            throw new ArgumentException($"there is no RTMR{measured.Register}", nameof(measured));

        var size = 66 + measured.Data.Length;
        var record = buffer.GetSpan(size)[..size];
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)measured.Register + 1);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], measured.EventType);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(record[12..], AlgorithmSha384);
        measured.Digest.Span.CopyTo(record[14..]);
        BinaryPrimitives.WriteUInt32LittleEndian(record[62..], (uint)measured.Data.Length);
        measured.Data.AsSpan().CopyTo(record[66..]);
        buffer.Advance(size);
    }
}
