using System.Net.Sockets;
using Kist.Formats;

namespace Kist.Cli;

/// <summary>The one place where exceptions become words and exit codes.</summary>
static class Failure
{
    /// <summary>The exit code for an expected kind of error; null for a defect in the program, which must crash.</summary>
    public static int? ExitCodeOf(Exception e) => e switch
    {
        MalformedDataException => ExitCode.Malformed,
        OperationFailedException => ExitCode.Failed,
        OperationCanceledException => ExitCode.Interrupted,
        IOException or UnauthorizedAccessException or SocketException or HttpRequestException => ExitCode.Failed,
        _ => null,
    };

    /// <summary>Writes the error and its hint to standard error.</summary>
    public static void Print(Exception e)
    {
        if (e is OperationCanceledException)
        {
            Terminal.Error("interrupted");
            return;
        }

        Terminal.Error(e.Message);
        if (e is OperationFailedException { Hint: { } hint })
            Terminal.Hint(hint);
    }
}
