namespace Kist.Cli;

/// <summary>What the program's exit status means. docs/cli.md lists these; <c>kist run</c> adds the container's own.</summary>
static class ExitCode
{
    public const int Success = 0;

    /// <summary>The operation failed: a file, a server, a system call.</summary>
    public const int Failed = 1;

    /// <summary>The command line was wrong; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>Judged and refused: evidence, a signature, a policy.</summary>
    public const int Refused = 3;

    /// <summary>The input does not follow its format.</summary>
    public const int Malformed = 4;

    /// <summary>As docker: kist itself failed before the container's program ran.</summary>
    public const int RunFailed = 125;

    /// <summary>As docker: the container's program could not be executed.</summary>
    public const int CannotExecute = 126;

    /// <summary>As docker: the container's program was not found.</summary>
    public const int NotFound = 127;

    /// <summary>Interrupted from the keyboard.</summary>
    public const int Interrupted = 130;
}
