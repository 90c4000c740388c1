using System.Globalization;
using System.Text;
using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>
/// Strict reader of DER (ITU-T X.690 §8 and §10): definite, shortest lengths; shortest integers; tags below 31. Nesting
/// is bounded by the grammar of whoever reads. Throws only <see cref="MalformedDataException"/>.
/// </summary>
/// <param name="data">The bytes to read.</param>
/// <param name="structure">The structure's name, for errors.</param>
/// <param name="origin">Offset of <paramref name="data"/> in the whole input, for errors and <see cref="ContentOffset"/>.</param>
internal ref struct DerCursor(ReadOnlySpan<byte> data, string structure, int origin = 0)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private readonly string _structure = structure;
    private readonly int _origin = origin;
    private int _position;

    public readonly bool IsEmpty => _position == _data.Length;

    /// <summary>Offset, in the whole input, of the next element.</summary>
    public readonly int Offset => _origin + _position;

    /// <summary>Offset, in the whole input, of the contents that were read last.</summary>
    public int ContentOffset { get; private set; }

    /// <summary>The next element's tag, or 0 at the end.</summary>
    public readonly byte PeekTag() => IsEmpty ? (byte)0 : _data[_position];

    /// <summary>Reads one element of this tag and gives its contents.</summary>
    public ReadOnlySpan<byte> Read(byte tag, string field)
    {
        var encoded = ReadEncoded(tag, field);
        return encoded[(ContentOffset - (Offset - encoded.Length))..];
    }

    /// <summary>Reads one element of this tag and gives it whole, tag and length included.</summary>
    public ReadOnlySpan<byte> ReadEncoded(byte tag, string field)
    {
        if (IsEmpty)
            throw Malformed($"{field} is missing");
        if (_data[_position] != tag)
            throw Malformed($"{field} has tag {_data[_position]:x2}, not {tag:x2}");
        return ReadAny(field);
    }

    /// <summary>Reads one element of any tag and gives it whole.</summary>
    public ReadOnlySpan<byte> ReadAny(string field)
    {
        if (_data.Length - _position < 2)
            throw Malformed($"{field} is cut off");
        if ((_data[_position] & 0x1f) == 0x1f)
            throw Malformed($"{field} has a tag of more than one byte");
        var (header, length) = ReadLength(_data[(_position + 1)..], field);
        if (length > _data.Length - _position - header)
            throw Malformed($"{field} is {length} bytes but {_data.Length - _position - header} remain");
        ContentOffset = Offset + header;
        var element = _data.Slice(_position, header + length);
        _position += header + length;
        return element;
    }

    /// <summary>Reads a SEQUENCE, and gives a reader of its contents.</summary>
    public DerCursor ReadSequence(string field) => ReadConstructed(DerTag.Sequence, field);

    /// <summary>Reads a constructed element of this tag, and gives a reader of its contents.</summary>
    public DerCursor ReadConstructed(byte tag, string field)
    {
        var contents = Read(tag, field);
        return new DerCursor(contents, _structure, ContentOffset);
    }

    /// <summary>Reads an INTEGER that is not negative, without a leading zero byte (zero itself is one zero byte).</summary>
    public ReadOnlySpan<byte> ReadUnsigned(string field, byte tag = DerTag.Integer)
    {
        var value = Read(tag, field);
        if (value.IsEmpty)
            throw Malformed($"{field} is an empty number");
        if (value.Length > 1 && ((value[0] == 0 && value[1] < 0x80) || (value[0] == 0xff && value[1] >= 0x80)))
            throw Malformed($"{field} is not in its shortest form");
        if (value[0] >= 0x80)
            throw Malformed($"{field} is negative");
        return value.Length > 1 && value[0] == 0 ? value[1..] : value;
    }

    /// <summary>Reads an INTEGER from 0 to <paramref name="maximum"/>.</summary>
    public int ReadInt32(string field, int maximum, byte tag = DerTag.Integer)
    {
        var value = ReadUnsigned(field, tag);
        if (value.Length > 4)
            throw Malformed($"{field} is larger than {maximum}");
        uint number = 0;
        foreach (var b in value)
            number = (number << 8) | b;
        return number <= (uint)maximum ? (int)number : throw Malformed($"{field} is {number}, more than {maximum}");
    }

    /// <summary>Reads a BOOLEAN.</summary>
    public bool ReadBoolean(string field)
    {
        var value = Read(DerTag.Boolean, field);
        return value is [0x00] or [0xff] ? value[0] != 0 : throw Malformed($"{field} is not a boolean in DER");
    }

    /// <summary>Reads a BIT STRING of whole bytes.</summary>
    public ReadOnlySpan<byte> ReadBitString(string field)
    {
        var value = Read(DerTag.BitString, field);
        if (value.IsEmpty || value[0] != 0)
            throw Malformed($"{field} is not a whole number of bytes");
        ContentOffset++;
        return value[1..];
    }

    /// <summary>Reads UTCTime or GeneralizedTime in the forms that RFC 5280 §4.1.2.5 allows.</summary>
    public DateTimeOffset ReadTime(string field)
    {
        var tag = PeekTag();
        var generalized = tag == DerTag.GeneralizedTime;
        if (!generalized && tag != DerTag.UtcTime)
            throw Malformed($"{field} is not a time");
        var text = Encoding.ASCII.GetString(Read(tag, field));
        if (!generalized && text.Length == 13)
            text = (string.CompareOrdinal(text, "50") < 0 ? "20" : "19") + text;
        return DateTimeOffset.TryParseExact(
            text, "yyyyMMddHHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw Malformed($"{field} is not a valid time");
    }

    /// <summary>Reads an element with this tag if it is next.</summary>
    public bool TryRead(byte tag, string field, out ReadOnlySpan<byte> contents)
    {
        var present = PeekTag() == tag && !IsEmpty;
        contents = present ? Read(tag, field) : default;
        return present;
    }

    /// <summary>Refuses anything that follows.</summary>
    public readonly void ExpectEnd()
    {
        if (!IsEmpty)
            throw Malformed($"{_data.Length - _position} bytes follow the last element");
    }

    public readonly MalformedDataException Malformed(string reason) => new(_structure, Offset, reason);

    /// <summary>Reads the length octets; gives the size of tag and length together, and the length.</summary>
    private readonly (int Header, int Length) ReadLength(ReadOnlySpan<byte> data, string field)
    {
        var first = data[0];
        if (first < 0x80)
            return (2, first);
        var count = first & 0x7f;
        if (count is 0 or > 4 || data.Length < 1 + count)
            throw Malformed($"{field} has a length in a form that DER does not allow");
        uint length = 0;
        for (var i = 1; i <= count; i++)
            length = (length << 8) | data[i];
        if (data[1] == 0 || length < 0x80 || length > int.MaxValue)
            throw Malformed($"{field} has a length that is not in its shortest form, or too large");
        return (2 + count, (int)length);
    }
}
