using System.Runtime.InteropServices;

namespace Kist.Linux.Isolation;

/// <summary>setrlimit(2): limits of this process and of what it starts.</summary>
public static partial class ResourceLimits
{
    private const int OpenFilesResource = 7, CoreResource = 4;

    /// <summary>RLIMIT_NOFILE: open files, at most what the hard limit allows.</summary>
    public static void SetOpenFiles(long limit)
    {
        var current = new Limit();
        SystemCallException.Check(getrlimit(OpenFilesResource, ref current), "read limit", "open files");
        var bounded = Math.Min((ulong)limit, current.Hard);
        Set(OpenFilesResource, new Limit { Soft = bounded, Hard = bounded }, "open files");
    }

    /// <summary>RLIMIT_CORE 0: no core dumps.</summary>
    public static void ForbidCoreFiles() => Set(CoreResource, default, "core files");

    private static void Set(int resource, Limit limit, string name) =>
        SystemCallException.Check(setrlimit(resource, limit), "set limit", name);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, ref Limit limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, in Limit limit);
}
