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

    /// <summary>The program and, where it runs on the shared runtime, its assembly.</summary>
    private static string[] Command()
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("the program's own path is unknown");
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, Environment.GetCommandLineArgs()[0]] : [program];
    }

    private static Dictionary<string, string> ReadEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
}
