using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// A tar header block, POSIX.1-1988 "ustar" and GNU:
/// <code>
/// offset size field          offset size field
///      0  100 name              257    6 magic: "ustar\0" POSIX, "ustar " GNU
///    100    8 mode              263    2 version: "00" POSIX, " \0" GNU
///    108    8 uid               265   32 uname
///    116    8 gid               297   32 gname
///    124   12 size              329    8 devmajor
///    136   12 mtime             337    8 devminor
///    148    8 chksum            345  155 prefix (POSIX only)
///    156    1 typeflag          386   96 four sparse regions, 482 isextended, 483 12 realsize (old GNU, type 'S')
///    157  100 linkname
/// </code>
/// Numbers are octal text, or, where the first bit is set, base 256 (GNU).
/// </summary>
readonly ref struct TarHeader
{
    public const int Size = 512;

    private readonly ReadOnlySpan<byte> _block;
    private readonly long _offset;

    public TarHeader(ReadOnlySpan<byte> block, long offset)
    {
        _block = block;
        _offset = offset;
        CheckSum();
    }

    public byte TypeFlag => _block[156];

    public long Mode => Number(100, 8, "mode");

    public long User => Number(108, 8, "uid");

    public long Group => Number(116, 8, "gid");

    public long DataSize => Number(124, 12, "size");

    public long Modified => Number(136, 12, "mtime");

    public long DeviceMajor => Number(329, 8, "devmajor");

    public long DeviceMinor => Number(337, 8, "devminor");

    public ReadOnlySpan<byte> LinkName => Text(157, 100);

    public bool IsGnu => _block[257..265].SequenceEqual("ustar  \0"u8);

    private bool IsPosix => _block[257..263].SequenceEqual("ustar\0"u8);

    public byte[] Path()
    {
        var name = Text(0, 100);
        var prefix = IsPosix ? Text(345, 155) : [];
        return prefix.IsEmpty ? name.ToArray() : [.. prefix, (byte)'/', .. name];
    }

    public SparseRegion OldSparseRegion(int index) =>
        new(Number(386 + index * 24, 12, "sparse offset"), Number(386 + index * 24 + 12, 12, "sparse length"));

    public bool OldSparseIsExtended => _block[482] != 0;

    public long OldSparseRealSize => Number(483, 12, "realsize");

    private ReadOnlySpan<byte> Text(int offset, int size)
    {
        var field = _block.Slice(offset, size);
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    private long Number(int offset, int size, string field) => TarNumber.Parse(_block.Slice(offset, size), field, _offset + offset);

    // The sum of all bytes, the checksum itself counted as spaces. Old writers added signed bytes.
    private void CheckSum()
    {
        long unsigned = 8 * ' ', signed = 8 * ' ';
        for (var i = 0; i < Size; i++)
        {
            if (i is >= 148 and < 156)
                continue;
            unsigned += _block[i];
            signed += (sbyte)_block[i];
        }

        var expected = Number(148, 8, "chksum");
        if (expected != unsigned && expected != signed)
            throw new MalformedDataException("tar header", _offset + 148, "wrong checksum");
    }
}

/// <summary>Numbers in tar headers.</summary>
static class TarNumber
{
    public static long Parse(ReadOnlySpan<byte> field, string name, long offset) =>
        (field[0] & 0x80) != 0 ? ParseBase256(field, name, offset) : ParseOctal(field, name, offset);

    private static long ParseOctal(ReadOnlySpan<byte> field, string name, long offset)
    {
        var text = field.Trim(" \0"u8);
        long value = 0;
        foreach (var c in text)
        {
            if (c is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3)
                throw new MalformedDataException("tar header", offset, $"{name} is no octal number");
            value = (value << 3) | (long)(c - '0');
        }

        return value;
    }

    // Two's complement, most significant byte first; the top bit marks the form, the next one is the sign.
    private static long ParseBase256(ReadOnlySpan<byte> field, string name, long offset)
    {
        var negative = (field[0] & 0x40) != 0;
        var value = negative ? -1L : 0L;
        for (var i = 0; i < field.Length; i++)
        {
            var b = i == 0 ? (byte)(negative ? field[0] | 0x80 : field[0] & 0x7f) : field[i];
            if (value >> 55 is not (0 or -1))
                throw new MalformedDataException("tar header", offset, $"{name} is too large");
            value = (value << 8) | b;
        }

        return value;
    }
}
