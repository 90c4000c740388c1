using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>posix_fadvise(2): what a file will be used for.</summary>
public static partial class FileAdvice
{
    private const int WillNeedAdvice = 3; // POSIX_FADV_WILLNEED

    /// <summary>The whole file will be read soon: the kernel begins to. Advice that is not taken does no harm.</summary>
    public static void WillNeed(SafeFileHandle file) => _ = posix_fadvise(file, 0, 0, WillNeedAdvice);

    [LibraryImport("libc")]
    private static partial int posix_fadvise(SafeFileHandle file, nint offset, nint length, int advice);
}
