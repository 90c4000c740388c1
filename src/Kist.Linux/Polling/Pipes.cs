using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Polling;

/// <summary>Making pipes.</summary>
public static partial class Pipes
{
    private const int CloseOnExec = 0x80000;

    /// <summary>A pipe whose ends are not inherited by children unless they are asked to.</summary>
    public static (SafeFileHandle Read, SafeFileHandle Write) Create()
    {
        Span<int> ends = stackalloc int[2];
        SystemCallException.Check(pipe2(ends, CloseOnExec), "create", "pipe");
        return (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(Span<int> ends, int flags);
}
