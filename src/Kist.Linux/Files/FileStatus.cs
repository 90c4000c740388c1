using System.Buffers.Binary;

namespace Kist.Linux.Files;

/// <summary>What kind of file an entry is: the S_IFMT bits of its mode.</summary>
public enum FileKind
{
    /// <summary>A named pipe.</summary>
    Pipe = 0x1000,

    /// <summary>A character device.</summary>
    CharacterDevice = 0x2000,

    /// <summary>A directory.</summary>
    Directory = 0x4000,

    /// <summary>A block device.</summary>
    BlockDevice = 0x6000,

    /// <summary>A regular file.</summary>
    Regular = 0x8000,

    /// <summary>A symbolic link.</summary>
    SymbolicLink = 0xA000,

    /// <summary>A socket.</summary>
    Socket = 0xC000,
}

/// <summary>The status of a file, as statx(2) gives it without following symbolic links.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Permissions">The lower twelve bits of the mode.</param>
/// <param name="User">Owner's number.</param>
/// <param name="Group">Group's number.</param>
/// <param name="Size">Length in bytes.</param>
/// <param name="Links">Number of hard links.</param>
/// <param name="Inode">Inode number.</param>
/// <param name="Device">Major (upper half) and minor number of the file system's device.</param>
/// <param name="ModifiedSeconds">Time of the last change of content, seconds since 1970.</param>
/// <param name="ModifiedNanoseconds">Its nanoseconds.</param>
/// <param name="NodeMajor">Major number of the device that this node stands for.</param>
/// <param name="NodeMinor">Minor number of the device that this node stands for.</param>
public readonly record struct FileStatus(
    FileKind Kind, int Permissions, uint User, uint Group, long Size, uint Links, ulong Inode, ulong Device,
    long ModifiedSeconds, uint ModifiedNanoseconds, uint NodeMajor, uint NodeMinor)
{
    /// <summary>Size of struct statx.</summary>
    internal const int StructureSize = 256;

    // struct statx (include/uapi/linux/stat.h), native byte order:
    //  16 nlink u32 | 20 uid u32 | 24 gid u32 | 28 mode u16 | 32 ino u64 | 40 size u64
    // 112 mtime: s64 seconds, u32 nanoseconds | 128 rdev_major u32 | 132 rdev_minor u32 | 136 dev_major u32 | 140 dev_minor u32
    internal static FileStatus Read(ReadOnlySpan<byte> statx)
    {
        var mode = BitConverter.ToUInt16(statx[28..]);
        return new FileStatus(
            (FileKind)(mode & 0xF000),
            mode & 0xFFF,
            BitConverter.ToUInt32(statx[20..]),
            BitConverter.ToUInt32(statx[24..]),
            BitConverter.ToInt64(statx[40..]),
            BitConverter.ToUInt32(statx[16..]),
            BitConverter.ToUInt64(statx[32..]),
            (ulong)BitConverter.ToUInt32(statx[136..]) << 32 | BitConverter.ToUInt32(statx[140..]),
            BitConverter.ToInt64(statx[112..]),
            BitConverter.ToUInt32(statx[120..]),
            BitConverter.ToUInt32(statx[128..]),
            BitConverter.ToUInt32(statx[132..]));
    }
}
