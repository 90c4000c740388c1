using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Kist.Enclaves.Host;
using Kist.Enclaves.Runtime;
using Kist.Formats;
using Kist.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Kist.Rune;

/// <summary>
/// "exec": in an enclave container the command line is handed to the enclave host, which executes it if the manifest
/// lists it, with the manifest's environment and user. This process stands for the program: it passes signals on and
/// ends with its exit code.
/// </summary>
static class ExecCommand
{
    private static readonly int[] s_signals = [1, 2, 3, 10, 12, 15, 28];

    public static async Task<int> RunAsync(CommandLine line)
    {
        var container = ContainerCommands.Container(line, line.Id);
        if (!container.Exists)
            return Runtime.Become(line.All);
        var args = Arguments(line);
        if (line.Has("--detach", "-d"))
            return Detach(line);
        if (line.Value("--pid-file") is { } file)
            WritePid(file, Environment.ProcessId);
        return await Task.Run(() => Execute(container, args));
    }

    private static int Execute(EnclaveContainer container, ImmutableArray<string> args)
    {
        using var agent = AgentClient.Connect(container);
        using var input = new SafeFileHandle(0, ownsHandle: false);
        using var output = new SafeFileHandle(1, ownsHandle: false);
        using var error = new SafeFileHandle(2, ownsHandle: false);
        agent.Send(new AgentRequest { Op = "exec", Args = args }, input, output, error);
        var registrations = s_signals.Select(signal => PosixSignalRegistration.Create((PosixSignal)signal, context =>
        {
            context.Cancel = true;
            agent.Send(new AgentRequest { Op = "signal", Signal = signal });
        })).ToArray();
        var exit = agent.Receive().ExitCode ?? throw new OperationFailedException("execute", args[0], "the enclave sent no exit code");
        foreach (var registration in registrations)
            registration.Dispose();
        return exit;
    }

    /// <summary>Leaves a process behind that stands for the program, as callers expect.</summary>
    private static int Detach(CommandLine line)
    {
        var arguments = line.All.Where(a => a is not ("--detach" or "-d")).ToArray();
        var files = Enumerable.Range(0, 3).ToDictionary(n => n, SafeHandle (n) => new SafeFileHandle(n, ownsHandle: false));
        var pid = Spawner.Start(new ChildStart
        {
            Program = Environment.ProcessPath!,
            Arguments = arguments,
            Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? ""),
            Files = files,
        });
        if (line.Value("--pid-file") is { } file)
            WritePid(file, pid);
        return 0;
    }

    private static ImmutableArray<string> Arguments(CommandLine line)
    {
        if (line.Value("--console-socket") is not null || line.Has("--tty", "-t"))
            throw new OperationFailedException("execute", line.Id, "a terminal in an enclave container is not supported", "leave -t out");
        if (line.Value("--process", "-p") is not { } file)
            return [.. line.Operands.Skip(1)];
        var process = JsonNode.Parse(File.ReadAllBytes(file)) as JsonObject ?? throw new MalformedDataException(file, -1, "not a JSON object");
        if (process["terminal"]?.GetValue<bool>() == true)
            throw new OperationFailedException("execute", line.Id, "a terminal in an enclave container is not supported", "leave the terminal out");
        return [.. (process["args"] as JsonArray ?? []).Select(a => a!.GetValue<string>())];
    }

    private static void WritePid(string file, int pid)
    {
        var temporary = file + ".new";
        File.WriteAllText(temporary, pid.ToString(CultureInfo.InvariantCulture));
        File.Move(temporary, file, overwrite: true);
    }
}
