namespace Kist.Oci;

/// <summary>What an entry of a tar archive is.</summary>
public enum TarEntryKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A hard link to an earlier entry.</summary>
    HardLink,

    /// <summary>A symbolic link.</summary>
    SymbolicLink,

    /// <summary>A character device.</summary>
    CharacterDevice,

    /// <summary>A block device.</summary>
    BlockDevice,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A named pipe.</summary>
    Pipe,
}

/// <summary>A part of a sparse file that has data; the rest reads as zeros.</summary>
/// <param name="Offset">Where it is in the file.</param>
/// <param name="Length">How long it is.</param>
public readonly record struct SparseRegion(long Offset, long Length);

/// <summary>One entry of a tar archive. Names are raw bytes: Linux does not ask them to be UTF-8.</summary>
public sealed class TarEntry
{
    /// <summary>What it is.</summary>
    public required TarEntryKind Kind { get; init; }

    /// <summary>Its path as written in the archive.</summary>
    public required byte[] Path { get; init; }

    /// <summary>Target of a hard or symbolic link; else empty.</summary>
    public byte[] LinkTarget { get; init; } = [];

    /// <summary>Length of the file; of a sparse file, with its holes. Zero for all other kinds.</summary>
    public long Size { get; init; }

    /// <summary>Permission bits, with set-user-id, set-group-id and sticky: the lower twelve bits of the mode.</summary>
    public int Permissions { get; init; }

    /// <summary>Owner's number.</summary>
    public uint User { get; init; }

    /// <summary>Group's number.</summary>
    public uint Group { get; init; }

    /// <summary>Modification time, seconds since 1970 (rounded down).</summary>
    public long ModifiedSeconds { get; init; }

    /// <summary>Nanoseconds of the modification time.</summary>
    public uint ModifiedNanoseconds { get; init; }

    /// <summary>Major number of a device.</summary>
    public uint DeviceMajor { get; init; }

    /// <summary>Minor number of a device.</summary>
    public uint DeviceMinor { get; init; }

    /// <summary>Extended attributes (SCHILY.xattr), values as raw bytes.</summary>
    public IReadOnlyList<KeyValuePair<byte[], byte[]>> Attributes { get; init; } = [];

    /// <summary>Where the data of a sparse file belongs, in ascending order; null if the file is not sparse.</summary>
    public IReadOnlyList<SparseRegion>? Regions { get; init; }

    /// <summary>The path for messages.</summary>
    public string DisplayPath => System.Text.Encoding.UTF8.GetString(Path);
}
