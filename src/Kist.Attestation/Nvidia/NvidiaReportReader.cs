using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Attestation.Nvidia;

/// <summary>Reads an NVIDIA report.</summary>
public static class NvidiaReportReader
{
    /// <summary>The largest report that is read, in bytes.</summary>
    public const int SizeLimit = 256 * 1024;

    private const string Structure = "NVIDIA attestation report";
    private const int SignatureSize = 96;

    /// <summary>Reads a report; bytes after its end are refused.</summary>
    /// <exception cref="MalformedDataException">It is not SPDM 1.1, or does not follow its format.</exception>
    public static NvidiaReport Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > SizeLimit)
            throw new MalformedDataException(Structure, -1, $"it is {bytes.Length} bytes, more than the limit of {SizeLimit}");
        var copy = bytes.ToArray();
        var cursor = new SpanCursor(copy, Structure);
        cursor.Expect([0x11, 0xE0], "request (SPDM 1.1 GET_MEASUREMENTS)");
        cursor.ReadBytes(2);
        var requestNonce = cursor.ReadBytes(32).ToArray();
        cursor.ReadByte();
        cursor.Expect([0x11, 0x60], "response (SPDM 1.1 MEASUREMENTS)");
        cursor.ReadBytes(2);
        var count = cursor.ReadByte();
        var record = cursor.ReadBytes(cursor.ReadByte() | cursor.ReadByte() << 8 | cursor.ReadByte() << 16);
        var measurements = ReadBlocks(record, count);
        var responseNonce = cursor.ReadBytes(32).ToArray();
        var fields = ReadFields(cursor.ReadBytes(cursor.ReadUInt16LittleEndian()));
        var signed = copy.AsMemory(0, cursor.Position);
        var signature = cursor.ReadBytes(SignatureSize).ToArray();
        cursor.ExpectEnd();
        return new NvidiaReport
        {
            SignedBytes = signed,
            RequestNonce = requestNonce,
            ResponseNonce = responseNonce,
            Measurements = measurements,
            Fields = fields,
            Signature = signature,
        };
    }

    private static ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> ReadBlocks(ReadOnlySpan<byte> record, int count)
    {
        const byte dmtf = 1;
        var cursor = new SpanCursor(record, "SPDM measurement record");
        var result = ImmutableSortedDictionary.CreateBuilder<int, ReadOnlyMemory<byte>>();
        for (var i = 0; i < count; i++)
        {
            var index = cursor.ReadByte();
            cursor.Expect([dmtf], "MeasurementSpecification (DMTF)");
            var size = cursor.ReadUInt16LittleEndian();
            var block = new SpanCursor(cursor.ReadBytes(size), "SPDM measurement block");
            block.ReadByte();
            var value = block.ReadBytes(block.ReadUInt16LittleEndian()).ToArray();
            block.ExpectEnd();
            if (!result.TryAdd(index, value))
                throw cursor.Malformed($"measurement {index} occurs twice");
        }

        cursor.ExpectEnd();
        return result.ToImmutable();
    }

    private static ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> ReadFields(ReadOnlySpan<byte> opaque)
    {
        var cursor = new SpanCursor(opaque, "NVIDIA opaque data");
        var result = ImmutableSortedDictionary.CreateBuilder<int, ReadOnlyMemory<byte>>();
        while (cursor.Remaining > 0)
        {
            var type = cursor.ReadUInt16LittleEndian();
            var value = cursor.ReadBytes(cursor.ReadUInt16LittleEndian()).ToArray();
            if (!result.TryAdd(type, value))
                throw cursor.Malformed($"field {type} occurs twice");
        }

        return result.ToImmutable();
    }
}
