using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>Sending signals, and their numbers on x86-64 and arm64.</summary>
public static partial class Signals
{
#pragma warning disable CS1591 // The names are POSIX's.
    public const int Hangup = 1;
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Kill = 9;
    public const int Terminate = 15;
#pragma warning restore CS1591

    /// <summary>The highest signal number.</summary>
    public const int Maximum = 64;

    /// <summary>kill(2). A process that has ended is no error: it is as dead as asked.</summary>
    public static void Send(int pid, int signal)
    {
        if (pid <= 0)
            throw new ArgumentOutOfRangeException(nameof(pid), pid, "a single process is meant");
        if (kill(pid, signal) != 0 && Marshal.GetLastPInvokeError() != Errno.ESRCH)
            throw SystemCallException.Last($"send signal {signal}", $"process {pid}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
