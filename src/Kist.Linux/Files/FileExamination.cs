using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>statx(2) by path and by open file.</summary>
public static partial class FileExamination
{
    private const int CurrentDirectory = -100, NoFollow = 0x100, EmptyPath = 0x1000;
    private const uint BasicStatus = 0x7ff;

    /// <summary>The status of a path, without following a symbolic link at its end.</summary>
    public static FileStatus Of(string path)
    {
        Span<byte> block = stackalloc byte[FileStatus.StructureSize];
        SystemCallException.Check(statx(CurrentDirectory, path, NoFollow, BasicStatus, block), "examine", path);
        return FileStatus.Read(block);
    }

    /// <summary>The status of an open file.</summary>
    public static FileStatus Of(SafeFileHandle file)
    {
        Span<byte> block = stackalloc byte[FileStatus.StructureSize];
        SystemCallException.Check(statx(file, "", EmptyPath, BasicStatus, block), "examine", "an open file");
        return FileStatus.Read(block);
    }

    /// <summary>The status of what a path leads to, links followed, such as /proc/PID/exe; null if there is nothing.</summary>
    public static FileStatus? FindTarget(string path)
    {
        Span<byte> block = stackalloc byte[FileStatus.StructureSize];
        if (statx(CurrentDirectory, path, 0, BasicStatus, block) == 0)
            return FileStatus.Read(block);
        return Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ENOTDIR or Errno.ESRCH ? null : throw SystemCallException.Last("examine", path);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Span<byte> block);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle directory, string path, int flags, uint mask, Span<byte> block);
}
