using Kist.Formats;
using Kist.Linux.Processes;

namespace Kist.Cli;

/// <summary>Starts this program again in the background.</summary>
static class SelfProcess
{
    private const string Shell = "/bin/sh";

    // setsid -f makes a session of its own and returns at once; init reaps the process.
    private const string Script = "log=$1; shift; exec setsid -f \"$@\" >>\"$log\" 2>&1 </dev/null";

    /// <summary>Starts it with its output appended to <paramref name="log"/>.</summary>
    public static void StartInBackground(string log, params string[] arguments)
    {
        var child = ChildProcess.Start(new ChildStart
        {
            Program = Shell,
            Arguments = ["-c", Script, "sh", log, .. Command(), .. arguments],
            Environment = ReadEnvironment(),
        });
        var exit = child.Exited.GetAwaiter().GetResult();
        if (exit.ExitCode != 0)
            throw new OperationFailedException("start in background", string.Join(' ', arguments), $"setsid ended with {exit.ExitCode}", $"see {log}");
    }

    /// <summary>Runs it on a state directory to its end and collects what it writes. Cancelled, it is asked to end and waited for.</summary>
    public static async Task<SelfResult> RunAsync(string stateDirectory, string[] arguments, CancellationToken cancellationToken)
    {
        string[] command = [.. Command(), .. arguments];
        var start = new System.Diagnostics.ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KIST_HOME"] = stateDirectory;
        using var process = System.Diagnostics.Process.Start(start)!;
        using var ending = cancellationToken.Register(() => Signals.Send(process.Id, Signals.Terminate));
        var stdout = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var stderr = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        cancellationToken.ThrowIfCancellationRequested();
        return new SelfResult(process.ExitCode, await stdout, await stderr);
    }

    /// <summary>The program and, where it runs on the shared runtime, its assembly.</summary>
    private static string[] Command()
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("the program's own path is unknown");
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, Environment.GetCommandLineArgs()[0]] : [program];
    }

    private static Dictionary<string, string> ReadEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
}

/// <summary>How a run of this program ended.</summary>
sealed record SelfResult(int ExitCode, string Stdout, string Stderr);
