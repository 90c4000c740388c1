using System.Buffers.Binary;
using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// A processor structure as an owned copy of its bytes: fields are read from, and written to, their offsets, so that
/// what is signed, hashed or handed to the processor is always the structure itself.
/// </summary>
public abstract class Structure
{
    private readonly byte[] _bytes;

    /// <summary>An all-zero structure of <paramref name="size"/> bytes.</summary>
    private protected Structure(int size) => _bytes = new byte[size];

    /// <summary>Copies <paramref name="source"/>, which must have exactly <paramref name="size"/> bytes.</summary>
    private protected Structure(ReadOnlySpan<byte> source, int size, string name)
    {
        if (source.Length != size)
            throw new MalformedDataException(name, Math.Min(source.Length, size), $"{source.Length} bytes, not {size}");
        _bytes = source.ToArray();
    }

    /// <summary>The structure's bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The structure's bytes, for interfaces that keep them.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes;

    private protected Span<byte> Field(int offset, int size) => _bytes.AsSpan(offset, size);

    private protected ushort UInt16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(offset));

    private protected uint UInt32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(offset));

    private protected ulong UInt64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(offset));

    private protected void Set(int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(offset), value);

    private protected void Set(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(offset), value);

    private protected void Set(int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(offset), value);

    private protected void Set(int offset, int size, ReadOnlySpan<byte> value)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(value.Length, size, nameof(value));
        value.CopyTo(_bytes.AsSpan(offset));
    }

    private protected void RequireZero(string name, int offset, int size, string field)
    {
        var nonZero = _bytes.AsSpan(offset, size).IndexOfAnyExcept((byte)0);
        if (nonZero >= 0)
            throw new MalformedDataException(name, offset + nonZero, $"{field} must be zero");
    }

    private protected void RequireBytes(string name, int offset, ReadOnlySpan<byte> expected, string field)
    {
        if (!_bytes.AsSpan(offset, expected.Length).SequenceEqual(expected))
            throw new MalformedDataException(name, offset, $"{field} must be {Convert.ToHexStringLower(expected)}");
    }
}
