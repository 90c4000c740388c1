using System.Runtime.InteropServices;

namespace Kist.Linux.Files;

/// <summary>Writing out what file systems hold in memory.</summary>
public static partial class FileSystemSync
{
    /// <summary>sync(2): all file systems; returns when it is done.</summary>
    public static void All() => sync();

    [LibraryImport("libc")]
    private static partial void sync();
}
