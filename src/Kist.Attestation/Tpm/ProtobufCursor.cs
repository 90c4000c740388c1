using Kist.Formats;

namespace Kist.Attestation.Tpm;

/// <summary>Reads protocol buffers' wire format as far as evidence needs it: field numbers, varints and length-delimited values.</summary>
/// <param name="data">One message.</param>
/// <param name="structure">Its name, for errors.</param>
internal ref struct ProtobufCursor(ReadOnlySpan<byte> data, string structure)
{
    private SpanCursor _cursor = new(data, structure);

    /// <summary>Reads the next field; false at the end of the message.</summary>
    /// <param name="field">Its number.</param>
    /// <param name="number">The value of a varint field; 0 for others.</param>
    /// <param name="bytes">The contents of a length-delimited field; empty for others.</param>
    public bool Next(out int field, out ulong number, out ReadOnlySpan<byte> bytes)
    {
        field = 0;
        number = 0;
        bytes = default;
        if (_cursor.Remaining == 0)
            return false;
        var key = ReadVarint();
        if (key >> 3 is 0 or > 536_870_911)
            throw _cursor.Malformed("a field has no valid number");
        field = (int)(key >> 3);
        switch (key & 7)
        {
            case 0: number = ReadVarint(); break;
            case 1: _cursor.ReadBytes(8); break;
            case 2:
                var length = ReadVarint();
                if (length > (ulong)_cursor.Remaining)
                    throw _cursor.Malformed($"field {field} is {length} bytes but {_cursor.Remaining} remain");
                bytes = _cursor.ReadBytes((int)length);
                break;
            case 5: _cursor.ReadBytes(4); break;
            default: throw _cursor.Malformed($"field {field} has wire type {key & 7}");
        }

        return true;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = _cursor.ReadByte();
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw _cursor.Malformed("a varint is longer than 64 bits");
    }
}
