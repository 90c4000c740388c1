using Kist.Formats;
using Kist.Linux.Processes;

namespace Kist.Host;

/// <summary>Linux signal numbers and names (signal(7), x86).</summary>
public static class LinuxSignal
{
    /// <summary>SIGHUP, the terminal is gone.</summary>
    public const int Hangup = Signals.Hangup;

    /// <summary>SIGQUIT.</summary>
    public const int Quit = Signals.Quit;

    /// <summary>SIGINT, Ctrl-C.</summary>
    public const int Interrupt = Signals.Interrupt;

    /// <summary>SIGKILL.</summary>
    public const int Kill = Signals.Kill;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = Signals.Terminate;

    private static readonly string[] Names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>Reads "TERM", "SIGTERM" or "15".</summary>
    /// <exception cref="OperationFailedException">There is no such signal.</exception>
    public static int Parse(string text)
    {
        var name = text.ToUpperInvariant();
        if (name.StartsWith("SIG", StringComparison.Ordinal))
            name = name[3..];
        var index = Array.IndexOf(Names, name);
        if (index >= 0)
            return index + 1;
        return int.TryParse(text, out var number) && number is >= 1 and <= Signals.Maximum
            ? number
            : throw new OperationFailedException("send signal", text, "there is no such signal", "use a name such as TERM, or a number from 1 to 64");
    }
}
