using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>Permissions of open files, and second handles on them.</summary>
public static partial class FilePermissions
{
    /// <summary>Sets the permissions of an open file.</summary>
    public static void Set(SafeFileHandle file, uint permissions) =>
        SystemCallException.Check(fchmod(file, permissions), "set permissions of", "an open file");

    /// <summary>Sets owner, group and permissions of a path, which must not be a symbolic link.</summary>
    public static void SetPath(string path, uint user, uint group, uint permissions)
    {
        SystemCallException.Check(lchown(path, user, group), "set owner", path);
        SystemCallException.Check(chmod(path, permissions), "set permissions", path);
    }

    /// <summary>Sets the length of a file open for writing; what is added reads as zeros and takes no space.</summary>
    public static void SetLength(SafeFileHandle file, long length) =>
        SystemCallException.Check(ftruncate(file, (nint)length), "set length of", "an open file");

    /// <summary>Sets access and modification time of an open file, in seconds since 1970.</summary>
    public static void SetModified(SafeFileHandle file, long seconds)
    {
        ReadOnlySpan<long> times = [seconds, 0, seconds, 0];
        SystemCallException.Check(futimens(file, times), "set time of", "an open file");
    }

    /// <summary>Another handle on what is open (the position is shared). The caller disposes both.</summary>
    public static SafeFileHandle Duplicate(SafeFileHandle file)
    {
        const int duplicateCloseOnExec = 1030;
        var copy = fcntl(file, duplicateCloseOnExec, 0);
        return copy >= 0 ? new SafeFileHandle(copy, ownsHandle: true) : throw SystemCallException.Last("duplicate", "an open file");
    }

    /// <summary>
    /// Opens the file behind a handle anew, for reading only and from its start; through /proc, so that sealed memory too
    /// can be opened.
    /// </summary>
    public static SafeFileHandle Reopen(SafeFileHandle file) =>
        File.OpenHandle($"/proc/self/fd/{file.DangerousGetHandle()}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint user, uint group);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chmod(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(SafeFileHandle file, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int futimens(SafeFileHandle file, ReadOnlySpan<long> times);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(SafeFileHandle file, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, int argument);
}
