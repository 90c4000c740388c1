using System.Globalization;
using System.Text;

namespace Kist.Oci;

/// <summary>
/// Writes a tar archive that any reader takes: ustar headers, and a pax header before an entry that ustar cannot hold
/// (long names, large numbers, attributes, fractions of seconds). The same entries always give the same bytes.
/// </summary>
/// <param name="stream">Where to; it is not closed.</param>
public sealed class TarWriter(Stream stream) : IDisposable
{
    private bool _ended;

    /// <summary>Writes an entry and its data.</summary>
    /// <param name="entry">What it is. Sparse files are not written: <see cref="TarEntry.Regions"/> must be null.</param>
    /// <param name="data">The data; must hold <see cref="TarEntry.Size"/> bytes. Null if there is none.</param>
    public void Write(TarEntry entry, Stream? data = null)
    {
        if (entry.Regions is not null)
            throw new ArgumentException("a sparse file cannot be written", nameof(entry));
        var pax = PaxOf(entry);
        if (pax.Length > 0)
        {
            stream.Write(Header("PaxHeaders/entry"u8, entry, (byte)'x', pax.Length));
            stream.Write(pax);
            Pad(pax.Length);
        }

        stream.Write(Header(entry.Path, entry, TypeOf(entry.Kind), entry.Kind == TarEntryKind.File ? entry.Size : 0));
        if (entry.Kind == TarEntryKind.File && entry.Size > 0)
            CopyData(entry, data ?? throw new ArgumentNullException(nameof(data)));
    }

    /// <summary>Writes the end of the archive: two blocks of zeros.</summary>
    public void Dispose()
    {
        if (!_ended)
            stream.Write(new byte[2 * TarHeader.Size]);
        _ended = true;
    }

    private void CopyData(TarEntry entry, Stream data)
    {
        var buffer = new byte[128 * 1024];
        for (var left = entry.Size; left > 0;)
        {
            var count = data.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
            if (count == 0)
                throw new Kist.Formats.OperationFailedException("write tar archive", entry.DisplayPath, "the file became shorter while it was read");
            stream.Write(buffer, 0, count);
            left -= count;
        }

        Pad(entry.Size);
    }

    private void Pad(long size) => stream.Write(new byte[-size & (TarHeader.Size - 1)]);

    private static byte[] PaxOf(TarEntry entry)
    {
        var records = new MemoryStream();
        if (entry.Path.Length > 100 || !Ascii.IsValid(entry.Path))
            Add(records, "path"u8, entry.Path);
        if (entry.LinkTarget.Length > 100 || !Ascii.IsValid(entry.LinkTarget))
            Add(records, "linkpath"u8, entry.LinkTarget);
        AddNumber(records, "size"u8, entry.Size, 0x1_FFFF_FFFF);
        AddNumber(records, "uid"u8, entry.User, 0x1F_FFFF);
        AddNumber(records, "gid"u8, entry.Group, 0x1F_FFFF);
        if (entry.ModifiedNanoseconds != 0 || entry.ModifiedSeconds is < 0 or > 0x1_FFFF_FFFF)
            Add(records, "mtime"u8, Encoding.ASCII.GetBytes(Time(entry)));
        foreach (var (name, value) in entry.Attributes.OrderBy(a => Convert.ToHexString(a.Key), StringComparer.Ordinal))
            Add(records, [.. "SCHILY.xattr."u8, .. name], value);
        return records.ToArray();
    }

    private static string Time(TarEntry entry) => entry.ModifiedSeconds >= 0 || entry.ModifiedNanoseconds == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{entry.ModifiedSeconds}.{entry.ModifiedNanoseconds:D9}")
        : string.Create(CultureInfo.InvariantCulture, $"-{-entry.ModifiedSeconds - 1}.{1_000_000_000 - entry.ModifiedNanoseconds:D9}");

    private static void AddNumber(MemoryStream records, ReadOnlySpan<byte> key, long value, long largestInHeader)
    {
        if (value > largestInHeader)
            Add(records, key, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
    }

    // The length counts itself, so it may need one digit more than its first guess.
    private static void Add(MemoryStream records, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var rest = key.Length + value.Length + 3;
        var length = rest + Digits(rest);
        length = rest + Digits(length);
        records.Write(Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture) + " "));
        records.Write(key);
        records.Write("="u8);
        records.Write(value);
        records.Write("\n"u8);
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    private static byte[] Header(ReadOnlySpan<byte> path, TarEntry entry, byte type, long size)
    {
        var block = new byte[TarHeader.Size];
        path[..Math.Min(path.Length, 100)].CopyTo(block);
        Octal(block.AsSpan(100, 8), entry.Permissions);
        Octal(block.AsSpan(108, 8), entry.User <= 0x1F_FFFF ? entry.User : 0);
        Octal(block.AsSpan(116, 8), entry.Group <= 0x1F_FFFF ? entry.Group : 0);
        Octal(block.AsSpan(124, 12), size <= 0x1_FFFF_FFFF ? size : 0);
        Octal(block.AsSpan(136, 12), entry.ModifiedSeconds is >= 0 and <= 0x1_FFFF_FFFF ? entry.ModifiedSeconds : 0);
        block[156] = type;
        if (type != 'x')
            entry.LinkTarget.AsSpan()[..Math.Min(entry.LinkTarget.Length, 100)].CopyTo(block.AsSpan(157));
        "ustar\000"u8.CopyTo(block.AsSpan(257));
        Octal(block.AsSpan(329, 8), entry.DeviceMajor);
        Octal(block.AsSpan(337, 8), entry.DeviceMinor);
        block.AsSpan(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in block)
            sum += b;
        Octal(block.AsSpan(148, 7), sum);
        return block;
    }

    private static void Octal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3)
            field[i] = (byte)('0' + (value & 7));
        field[^1] = 0;
    }

    private static byte TypeOf(TarEntryKind kind) => kind switch
    {
        TarEntryKind.File => (byte)'0',
        TarEntryKind.HardLink => (byte)'1',
        TarEntryKind.SymbolicLink => (byte)'2',
        TarEntryKind.CharacterDevice => (byte)'3',
        TarEntryKind.BlockDevice => (byte)'4',
        TarEntryKind.Directory => (byte)'5',
        _ => (byte)'6',
    };
}
