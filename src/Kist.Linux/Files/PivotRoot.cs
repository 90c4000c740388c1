using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>pivot_root(2): another mount becomes the root of this mount namespace.</summary>
public static partial class PivotRoot
{
    private const int SystemPivotRoot = 155; // x86-64
    private const int DetachFlag = 2;

    /// <summary>
    /// Makes <paramref name="newRoot"/>, which must be a mount, the root, and detaches the old one: what is open there
    /// stays open, no path leads there any more.
    /// </summary>
    /// <param name="newRoot">The new root.</param>
    /// <param name="workingDirectory">An open directory that becomes this process's working directory; null for the new root.</param>
    public static void To(string newRoot, SafeFileHandle? workingDirectory = null)
    {
        SystemCallException.Check(chdir(newRoot), "change directory", newRoot);
        SystemCallException.Check((int)pivot_root(SystemPivotRoot, ".", "."), "pivot root", newRoot);
        // Old and new root are stacked at the same place now; the old one is on top (pivot_root(2), "pivot_root(".", ".")").
        SystemCallException.Check(umount2(".", DetachFlag), "detach", "the old root");
        if (workingDirectory is null)
            SystemCallException.Check(chdir("/"), "change directory", "/");
        else
            SystemCallException.Check(fchdir(workingDirectory), "change directory", "an open directory");
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint pivot_root(nint number, string newRoot, string putOld);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chdir(string path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchdir(SafeFileHandle directory);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);
}
