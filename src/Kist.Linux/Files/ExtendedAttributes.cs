using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>Extended attributes of files.</summary>
public static partial class ExtendedAttributes
{
    /// <summary>Linux's limit for one value (XATTR_SIZE_MAX).</summary>
    public const int MaximumValue = 65536;

    /// <summary>Sets an attribute of an open file.</summary>
    public static void Set(SafeFileHandle file, string name, ReadOnlySpan<byte> value) =>
        SystemCallException.Check(fsetxattr(file, name, value, (nuint)value.Length, 0), "set extended attribute", name);

    /// <summary>Sets an attribute of what a path names, without following a symbolic link at its end.</summary>
    public static void Set(string path, string name, ReadOnlySpan<byte> value) =>
        SystemCallException.Check(lsetxattr(path, name, value, (nuint)value.Length, 0), "set extended attribute", $"{path}: {name}");

    /// <summary>Reads an attribute of what a path names; null if it has none of that name or the file system knows none.</summary>
    public static byte[]? Get(string path, string name)
    {
        var buffer = new byte[MaximumValue];
        var length = lgetxattr(path, name, buffer, (nuint)buffer.Length);
        if (length >= 0)
            return buffer[..(int)length];
        return Marshal.GetLastPInvokeError() is Errno.ENODATA or Errno.EOPNOTSUPP
            ? null
            : throw SystemCallException.Last("read extended attribute", $"{path}: {name}");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fsetxattr(SafeFileHandle file, string name, ReadOnlySpan<byte> value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lsetxattr(string path, string name, ReadOnlySpan<byte> value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint lgetxattr(string path, string name, Span<byte> value, nuint size);
}
