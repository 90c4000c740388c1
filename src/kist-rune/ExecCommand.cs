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
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly int[] s_signals = [1, 2, 3, 10, 12, 15];

    public static async Task<int> RunAsync(CommandLine line)
    {
        var container = ContainerCommands.Container(line, line.Id);
        if (!container.Exists)
            return Runtime.Become(line.All);
        var (args, terminal) = Program(line);
        var console = line.Value("--console-socket");
        if (console is not null && !terminal)
            throw new OperationFailedException("execute", line.Id, "--console-socket is given, but the program wants no terminal", "give --tty, or leave the socket out");
        if (line.Has("--detach", "-d"))
            return Detach(line, args, terminal, console);
        if (line.Value("--pid-file") is { } file)
            WritePid(file, Environment.ProcessId);
        return await Task.Run(() => terminal ? ExecuteOnTerminal(container, args, console) : Execute(container, args));
    }

    private static int Execute(EnclaveContainer container, ImmutableArray<string> args)
    {
        using var agent = AgentClient.Connect(container, s_patience);
        using var input = new SafeFileHandle(0, ownsHandle: false);
        using var output = new SafeFileHandle(1, ownsHandle: false);
        using var error = new SafeFileHandle(2, ownsHandle: false);
        agent.Send(new AgentRequest { Op = "exec", Args = args }, input, output, error);
        return WaitForExit(agent, args);
    }

    /// <summary>The enclave makes the terminal; its other end goes to whoever asked, or is shown on this process's own.</summary>
    private static int ExecuteOnTerminal(EnclaveContainer container, ImmutableArray<string> args, string? console)
    {
        using var agent = AgentClient.Connect(container, s_patience);
        agent.Send(new AgentRequest { Op = "exec", Args = args, Terminal = true });
        using var master = agent.ReceiveTerminal();
        if (console is not null)
        {
            TerminalConsole.Send(console, master);
            return WaitForExit(agent, args);
        }

        using var shown = TerminalConsole.Show(master);
        return WaitForExit(agent, args);
    }

    private static int WaitForExit(AgentClient agent, ImmutableArray<string> args)
    {
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
    private static int Detach(CommandLine line, ImmutableArray<string> args, bool terminal, string? console)
    {
        if (terminal && console is null)
            throw new OperationFailedException("execute", line.Id, "a detached program's terminal has nowhere to go", "give --console-socket, or leave --detach or --tty out");
        var files = Enumerable.Range(0, 3).ToDictionary(n => n, SafeHandle (n) => new SafeFileHandle(n, ownsHandle: false));
        var pid = Spawner.Start(new ChildStart
        {
            Program = Environment.ProcessPath!,
            Arguments = line.ExecInForeground(args, terminal, console),
            Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? ""),
            Files = files,
        });
        if (line.Value("--pid-file") is { } file)
            WritePid(file, pid);
        return 0;
    }

    private static (ImmutableArray<string> Args, bool Terminal) Program(CommandLine line)
    {
        var terminal = line.Has("--tty", "-t");
        if (line.Value("--process", "-p") is not { } file)
            return ([.. line.Operands.Skip(1)], terminal);
        var process = JsonNode.Parse(File.ReadAllBytes(file)) as JsonObject ?? throw new MalformedDataException(file, -1, "not a JSON object");
        return (
            [.. (process["args"] as JsonArray ?? []).Select(a => a!.GetValue<string>())],
            terminal || process["terminal"]?.GetValue<bool>() == true);
    }

    private static void WritePid(string file, int pid)
    {
        var temporary = file + ".new";
        File.WriteAllText(temporary, pid.ToString(CultureInfo.InvariantCulture));
        File.Move(temporary, file, overwrite: true);
    }
}
