using System.Buffers.Binary;

namespace Kist.Formats;

/// <summary>
/// The one reader of binary structures: walks a span from front to back and throws
/// <see cref="MalformedDataException"/>, with the structure's name and the offset, for whatever does not fit.
/// </summary>
/// <param name="data">The bytes to read.</param>
/// <param name="structure">The structure's name in the specification's words; it appears in errors.</param>
/// <param name="origin">Offset of <paramref name="data"/> in the whole input; it is added to offsets in errors.</param>
public ref struct SpanCursor(ReadOnlySpan<byte> data, string structure, long origin = 0)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private readonly string _structure = structure;
    private readonly long _origin = origin;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes not yet read.</summary>
    public readonly int Remaining => _data.Length - Position;

    /// <summary>The rest of the input, without consuming it.</summary>
    public readonly ReadOnlySpan<byte> Rest => _data[Position..];

    /// <summary>Reads <paramref name="count"/> bytes as a slice of the input.</summary>
    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        if (count < 0 || count > Remaining)
            throw Malformed($"{count} bytes are needed but {Remaining} remain");
        var slice = _data.Slice(Position, count);
        Position += count;
        return slice;
    }

    /// <summary>Reads a byte.</summary>
    public byte ReadByte() => ReadBytes(1)[0];

    /// <summary>Reads a 16-bit number, least significant byte first.</summary>
    public ushort ReadUInt16LittleEndian() => BinaryPrimitives.ReadUInt16LittleEndian(ReadBytes(2));

    /// <summary>Reads a 32-bit number, least significant byte first.</summary>
    public uint ReadUInt32LittleEndian() => BinaryPrimitives.ReadUInt32LittleEndian(ReadBytes(4));

    /// <summary>Reads a 64-bit number, least significant byte first.</summary>
    public ulong ReadUInt64LittleEndian() => BinaryPrimitives.ReadUInt64LittleEndian(ReadBytes(8));

    /// <summary>Reads a 16-bit number, most significant byte first.</summary>
    public ushort ReadUInt16BigEndian() => BinaryPrimitives.ReadUInt16BigEndian(ReadBytes(2));

    /// <summary>Reads a 32-bit number, most significant byte first.</summary>
    public uint ReadUInt32BigEndian() => BinaryPrimitives.ReadUInt32BigEndian(ReadBytes(4));

    /// <summary>Reads a 64-bit number, most significant byte first.</summary>
    public ulong ReadUInt64BigEndian() => BinaryPrimitives.ReadUInt64BigEndian(ReadBytes(8));

    /// <summary>
    /// Reads a 32-bit little-endian length and checks it against a named limit and against what remains, before anything
    /// is allocated for it.
    /// </summary>
    public int ReadLength32LittleEndian(int limit, string field)
    {
        var length = ReadUInt32LittleEndian();
        if (length > (uint)limit)
            throw Malformed($"{field} is {length} bytes, more than the limit of {limit}");
        if (length > (uint)Remaining)
            throw Malformed($"{field} is {length} bytes but {Remaining} remain");
        return (int)length;
    }

    /// <summary>Reads a reserved field and refuses it unless every byte is zero.</summary>
    public void ReadReserved(int count, string field)
    {
        var start = Position;
        var bytes = ReadBytes(count);
        var nonZero = bytes.IndexOfAnyExcept((byte)0);
        if (nonZero >= 0)
            throw new MalformedDataException(_structure, _origin + start + nonZero, $"{field} must be zero");
    }

    /// <summary>Reads a field that must have exactly these bytes.</summary>
    public void Expect(ReadOnlySpan<byte> expected, string field)
    {
        var start = Position;
        if (!ReadBytes(expected.Length).SequenceEqual(expected))
            throw new MalformedDataException(_structure, _origin + start, $"{field} must be {Convert.ToHexStringLower(expected)}");
    }

    /// <summary>Refuses trailing bytes.</summary>
    public readonly void ExpectEnd()
    {
        if (Remaining != 0)
            throw Malformed($"{Remaining} bytes follow its end");
    }

    /// <summary>An error at the present position.</summary>
    public readonly MalformedDataException Malformed(string reason) => new(_structure, _origin + Position, reason);
}
