using System.Buffers;
using Kist.Formats;

namespace Kist.Enclaves.Aesm;

/// <summary>Reads and writes the few kinds of protobuf fields that AESM uses: numbers and bytes (protobuf encoding, wire types 0 and 2).</summary>
static class ProtobufFields
{
    private const int MaxVarintBytes = 10;

    public static void WriteNumber(ArrayBufferWriter<byte> output, int field, ulong value)
    {
        WriteVarint(output, (ulong)field << 3);
        WriteVarint(output, value);
    }

    public static void WriteBytes(ArrayBufferWriter<byte> output, int field, ReadOnlySpan<byte> value)
    {
        WriteVarint(output, ((ulong)field << 3) | 2);
        WriteVarint(output, (ulong)value.Length);
        output.Write(value);
    }

    /// <summary>All fields of a message; a field that is there twice counts with its last value, as protobuf says.</summary>
    public static Dictionary<int, ProtobufValue> Read(ReadOnlyMemory<byte> message, string name)
    {
        var fields = new Dictionary<int, ProtobufValue>();
        var cursor = new SpanCursor(message.Span, name);
        while (cursor.Remaining > 0)
        {
            var key = ReadVarint(ref cursor);
            if (key >> 3 is 0 or > 10_000)
                throw cursor.Malformed("a field's number is out of range");
            var field = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    fields[field] = new ProtobufValue(ReadVarint(ref cursor), default);
                    break;
                case 2:
                    var length = ReadVarint(ref cursor);
                    if (length > (ulong)cursor.Remaining)
                        throw cursor.Malformed($"field {field} has {length} bytes where {cursor.Remaining} remain");
                    var at = cursor.Position;
                    cursor.ReadBytes((int)length);
                    fields[field] = new ProtobufValue(0, message.Slice(at, (int)length));
                    break;
                default:
                    throw cursor.Malformed($"field {field} has the wire type {key & 7}");
            }
        }

        return fields;
    }

    private static void WriteVarint(ArrayBufferWriter<byte> output, ulong value)
    {
        Span<byte> bytes = stackalloc byte[MaxVarintBytes];
        var length = 0;
        do
        {
            bytes[length++] = (byte)((value & 0x7f) | (value > 0x7f ? 0x80u : 0));
            value >>= 7;
        }
        while (value > 0);
        output.Write(bytes[..length]);
    }

    private static ulong ReadVarint(ref SpanCursor cursor)
    {
        ulong value = 0;
        for (var shift = 0; shift < 7 * MaxVarintBytes; shift += 7)
        {
            var next = cursor.ReadByte();
            value |= (ulong)(next & 0x7f) << shift;
            if ((next & 0x80) == 0)
                return value;
        }

        throw cursor.Malformed("a number has no end");
    }
}

/// <summary>A field's value: a number or bytes.</summary>
readonly record struct ProtobufValue(ulong Number, ReadOnlyMemory<byte> Bytes);
