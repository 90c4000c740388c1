using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// Reads a tar archive from front to back: POSIX ustar and pax, GNU long names, base-256 numbers and sparse files (old
/// format, 0.0, 0.1 and 1.0), V7. .NET's own reader decodes attribute values as text, which destroys binary ones
/// (security.capability), and knows no sparse files.
/// </summary>
/// <param name="stream">The archive; it is not closed.</param>
public sealed partial class TarReader(Stream stream)
{
    private readonly byte[] _block = new byte[TarHeader.Size];
    private readonly PaxRecords _global = new();
    private long _position;
    private long _dataLeft;
    private int _padding;

    /// <summary>Offset in the archive of the byte that is read next.</summary>
    public long Position => _position;

    /// <summary>Bytes of data of the present entry that have not been read.</summary>
    public long DataLeft => _dataLeft;

    /// <summary>Goes to the next entry; what was not read of the last one is skipped. Null at the end of the archive.</summary>
    /// <exception cref="MalformedDataException">The archive is damaged, ends early, or exceeds a limit.</exception>
    public TarEntry? Next()
    {
        SkipData();
        PaxRecords? pax = null;
        byte[]? longName = null, longLink = null;
        while (ReadBlock())
        {
            var header = new TarHeader(_block, _position - TarHeader.Size);
            switch ((char)header.TypeFlag)
            {
                case 'x':
                    pax = new PaxRecords();
                    pax.Read(ReadExtended(header.DataSize), _position);
                    break;
                case 'g':
                    _global.Read(ReadExtended(header.DataSize), _position);
                    break;
                case 'L':
                    longName = ReadLongName(header.DataSize);
                    break;
                case 'K':
                    longLink = ReadLongName(header.DataSize);
                    break;
                default:
                    pax ??= new PaxRecords();
                    pax.AddDefaults(_global);
                    return ReadEntry(header, pax, longName, longLink);
            }
        }

        return pax is null && longName is null && longLink is null
            ? null
            : throw Malformed("the archive ends after an extended header");
    }

    /// <summary>Reads data of the present entry; of a sparse file, the stored parts one after the other. Zero at its end.</summary>
    public int ReadData(Span<byte> buffer)
    {
        if (buffer.Length > _dataLeft)
            buffer = buffer[..(int)_dataLeft];
        if (buffer.IsEmpty)
            return 0;
        var count = stream.Read(buffer);
        if (count == 0)
            throw Malformed("the archive ends inside a file");
        _position += count;
        _dataLeft -= count;
        return count;
    }

    /// <summary>
    /// As <see cref="ReadData"/>, but where the stream has its bytes in memory they are not copied: the result lies there, or
    /// else at the buffer's start. It is valid until the next read. Empty at the data's end.
    /// </summary>
    public ReadOnlySpan<byte> ReadDataInPlace(Span<byte> buffer)
    {
        if (stream is not HashingPipeStream pipe)
            return buffer[..ReadData(buffer)];
        var data = pipe.ReadInPlace((int)Math.Min(int.MaxValue, _dataLeft));
        if (data.IsEmpty && _dataLeft > 0)
            throw Malformed("the archive ends inside a file");
        _position += data.Length;
        _dataLeft -= data.Length;
        return data;
    }

    private TarEntry ReadEntry(TarHeader header, PaxRecords pax, byte[]? longName, byte[]? longLink)
    {
        var path = pax.Find("GNU.sparse.name") ?? pax.Find("path") ?? longName ?? header.Path();
        var kind = KindOf(header.TypeFlag, path);
        var link = kind is TarEntryKind.HardLink or TarEntryKind.SymbolicLink
            ? pax.Find("linkpath") ?? longLink ?? header.LinkName.ToArray()
            : [];
        CheckPath(path, "path");
        if (kind is TarEntryKind.HardLink or TarEntryKind.SymbolicLink)
            CheckPath(link, "link target");
        var stored = kind == TarEntryKind.File ? pax.FindNumber("size") ?? header.DataSize : 0;
        if (stored is < 0 or > OciLimits.MaxBlobBytes)
            throw Malformed($"a file of {stored} bytes");
        var isOldSparse = header.TypeFlag == 'S';
        // These are read before the sparse map, which reuses the block.
        var (user, group) = (Id(pax.FindNumber("uid") ?? header.User, "uid"), Id(pax.FindNumber("gid") ?? header.Group, "gid"));
        var (seconds, nanoseconds) = pax.Find("mtime") is { } mtime ? PaxTime.Parse(mtime) : (header.Modified, 0u);
        var isDevice = kind is TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice;
        var (major, minor) = isDevice ? (Id(header.DeviceMajor, "devmajor"), Id(header.DeviceMinor, "devminor")) : (0, 0);
        var permissions = (int)(header.Mode & 0xFFF);
        var realSize = isOldSparse ? header.OldSparseRealSize : stored;
        SetData(stored);
        var regions = isOldSparse ? ReadOldSparseMap(header) : kind == TarEntryKind.File ? ReadPaxSparseMap(pax, ref realSize) : null;
        if (regions is not null)
            CheckRegions(regions, realSize);
        return new TarEntry
        {
            Kind = kind,
            Path = path,
            LinkTarget = link,
            Size = regions is null ? stored : realSize,
            Permissions = permissions,
            User = user,
            Group = group,
            ModifiedSeconds = seconds,
            ModifiedNanoseconds = nanoseconds,
            DeviceMajor = major,
            DeviceMinor = minor,
            Attributes = pax.Attributes,
            Regions = regions,
        };
    }

    private TarEntryKind KindOf(byte flag, ReadOnlySpan<byte> path) => (char)flag switch
    {
        // V7 archives have no type for directories; their names end in a slash.
        '0' or '\0' or '7' => path.EndsWith("/"u8) ? TarEntryKind.Directory : TarEntryKind.File,
        'S' => TarEntryKind.File,
        '1' => TarEntryKind.HardLink,
        '2' => TarEntryKind.SymbolicLink,
        '3' => TarEntryKind.CharacterDevice,
        '4' => TarEntryKind.BlockDevice,
        '5' => TarEntryKind.Directory,
        '6' => TarEntryKind.Pipe,
        _ => throw Malformed($"an entry of type {flag:x2}, which is not known"),
    };

    private void CheckPath(ReadOnlySpan<byte> path, string what)
    {
        if (path.IsEmpty || path.Length > TarLimits.MaxPathBytes || path.Contains((byte)0))
            throw Malformed($"a {what} that is empty, longer than {TarLimits.MaxPathBytes} bytes, or has a NUL in it");
    }

    private uint Id(long value, string field) =>
        value is >= 0 and < uint.MaxValue ? (uint)value : throw Malformed($"{field} is {value}");

    private byte[] ReadExtended(long size)
    {
        if (size is < 0 or > TarLimits.MaxExtendedHeaderBytes)
            throw Malformed($"an extended header of {size} bytes, more than the limit of {TarLimits.MaxExtendedHeaderBytes}");
        var data = new byte[size];
        SetData(size);
        for (var read = 0; read < data.Length;)
            read += ReadData(data.AsSpan(read));
        SkipData();
        return data;
    }

    private byte[] ReadLongName(long size)
    {
        var data = ReadExtended(size);
        var end = Array.IndexOf(data, (byte)0);
        return end < 0 ? data : data[..end];
    }

    private void SetData(long size)
    {
        _dataLeft = size;
        _padding = (int)(-size & (TarHeader.Size - 1));
    }

    private void SkipData()
    {
        Span<byte> scratch = stackalloc byte[4096];
        while (_dataLeft > 0)
            ReadData(scratch);
        for (; _padding > 0;)
        {
            var count = stream.Read(scratch[.._padding]);
            if (count == 0)
                throw Malformed("the archive ends inside padding");
            _padding -= count;
            _position += count;
        }
    }

    // False at the end: a block of zeros, or no more bytes.
    private bool ReadBlock()
    {
        var count = stream.ReadAtLeast(_block, TarHeader.Size, throwOnEndOfStream: false);
        _position += count;
        if (count is not (0 or TarHeader.Size))
            throw Malformed("the archive ends inside a header");
        return count != 0 && _block.AsSpan().ContainsAnyExcept((byte)0);
    }

    private MalformedDataException Malformed(string reason) => new("tar archive", _position, reason);
}
