using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kist.Linux.Processes;
using Kist.Pods.Protocol;

namespace Kist.Agent.Containers;

/// <summary>How the OCI runtime is called, and what its failures mean.</summary>
static class Crun
{
    private const string Program = "/usr/bin/crun", Root = "--root=/run/crun", Manager = "--cgroup-manager=cgroupfs";

    public static ChildStart Run(string id, string bundle, string? consoleSocket, Dictionary<int, SafeHandle> files) => new()
    {
        Program = Program,
        Arguments =
        [
            Root, Manager, "--log-format=json", $"--log={LogOf(bundle)}", "run", "--detach", $"--bundle={bundle}", $"--pid-file={PidFileOf(bundle)}",
            .. consoleSocket is null ? Array.Empty<string>() : [$"--console-socket={consoleSocket}"], id,
        ],
        Files = files,
    };

    /// <summary>Executes the process of process.json in the folder.</summary>
    public static ChildStart Execute(string id, string folder, string? consoleSocket, Dictionary<int, SafeHandle> files) => new()
    {
        Program = Program,
        Arguments =
        [
            Root, Manager, "--log-format=json", $"--log={LogOf(folder)}", "exec", "--detach", $"--process={Path.Combine(folder, "process.json")}",
            $"--pid-file={PidFileOf(folder)}", .. consoleSocket is null ? Array.Empty<string>() : [$"--console-socket={consoleSocket}"], id,
        ],
        Files = files,
    };

    public static ChildStart Delete(string id) => new() { Program = Program, Arguments = [Root, Manager, "delete", "--force", id] };

    public static int ReadPid(string bundle) => int.Parse(File.ReadAllText(PidFileOf(bundle)), NumberStyles.None, CultureInfo.InvariantCulture);

    public static AgentException Failure(string id, string bundle, int exitCode)
    {
        var reason = LastMessage(bundle) ?? $"crun ended with status {exitCode} and said nothing";
        var code = reason.Contains("not found", StringComparison.Ordinal) || reason.Contains("No such file", StringComparison.Ordinal) ? FailureCode.ProgramNotFound
            : reason.Contains("Input/output error", StringComparison.Ordinal) ? FailureCode.ImageRefused
            : reason.Contains("Permission denied", StringComparison.Ordinal) || reason.Contains("Exec format", StringComparison.Ordinal) ? FailureCode.ProgramNotExecutable
            : FailureCode.ContainerStart;
        return new AgentException(code, "start container", id, reason);
    }

    private static string LogOf(string bundle) => Path.Combine(bundle, "crun.log");

    private static string PidFileOf(string bundle) => Path.Combine(bundle, "pid");

    /// <summary>One JSON object a line, with "msg".</summary>
    private static string? LastMessage(string bundle)
    {
        if (!File.Exists(LogOf(bundle)))
            return null;
        var line = File.ReadLines(LogOf(bundle)).LastOrDefault(l => l.Length > 0);
        if (line is null)
            return null;
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.TryGetProperty("msg", out var message) ? message.GetString() : line;
        }
        catch (JsonException)
        {
            return line;
        }
    }
}
