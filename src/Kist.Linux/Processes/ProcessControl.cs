using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>prctl(2): properties of this process.</summary>
public static partial class ProcessControl
{
    private const int SetDumpable = 4, SetChildSubreaper = 36;

    /// <summary>Makes orphaned descendants children of this process, as PID 1 has them.</summary>
    public static void BecomeSubreaper() => SystemCallException.Check(prctl(SetChildSubreaper, 1, 0, 0, 0), "become subreaper", "process");

    /// <summary>Forbids core dumps and debuggers of the same user: memory here holds keys.</summary>
    public static void ForbidDumps() => SystemCallException.Check(prctl(SetDumpable, 0, 0, 0, 0), "forbid dumps", "process");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nint a, nint b, nint c, nint d);
}
