using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>Opening named pipes (fifo(7)), whose ends wait for each other.</summary>
public static partial class NamedPipe
{
    private const int WriteOnly = 1, ReadWrite = 2, NonBlocking = 0x800, CloseOnExec = 0x80000, PathOnly = 0x200000;

    /// <summary>Opens the reading end; blocks until there is a writer. <see cref="Release"/> ends the wait.</summary>
    public static SafeFileHandle OpenForReading(string path) => Open(path, 0);

    /// <summary>Opens the writing end; null if nobody reads.</summary>
    public static SafeFileHandle? TryOpenForWriting(string path)
    {
        var file = open(path, WriteOnly | NonBlocking | CloseOnExec);
        if (!file.IsInvalid)
            return file;
        file.Dispose();
        return Marshal.GetLastPInvokeError() == Errno.ENXIO ? null : throw SystemCallException.Last("open", path);
    }

    /// <summary>Opens both ends, which never waits: while it is open, neither side sees the other leave.</summary>
    public static SafeFileHandle OpenBoth(string path) => Open(path, ReadWrite | NonBlocking);

    /// <summary>Holds on to a pipe without opening either end, so that it can be opened when its name is gone.</summary>
    public static SafeFileHandle Hold(string path) => Open(path, PathOnly);

    /// <summary>The name under which this process opens a pipe that it holds.</summary>
    public static string NameOf(SafeFileHandle held) => string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{held.DangerousGetHandle()}");

    /// <summary>Lets whoever waits in <see cref="OpenForReading"/> go on.</summary>
    public static void Release(string path)
    {
        using var file = open(path, ReadWrite | NonBlocking | CloseOnExec);
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        var file = open(path, flags | CloseOnExec);
        return file.IsInvalid ? throw SystemCallException.Last("open", path) : file;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);
}
