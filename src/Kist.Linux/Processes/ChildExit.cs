namespace Kist.Linux.Processes;

/// <summary>How a process ended.</summary>
/// <param name="ExitCode">Its exit code; 128 + the signal if a signal ended it, as shells say it.</param>
/// <param name="Signal">0, or the signal that ended it.</param>
public readonly record struct ChildExit(int ExitCode, int Signal)
{
    private const int CldExited = 1;

    /// <summary>From siginfo's si_code and si_status (waitid(2)).</summary>
    internal static ChildExit FromWait(int code, int status) => code == CldExited ? new(status, 0) : new(128 + status, status);
}
