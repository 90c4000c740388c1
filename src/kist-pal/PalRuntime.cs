using System.Collections;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Kist.Pal;

/// <summary>
/// Runs programs of one bundle in enclaves, each as a container of kist-rune with the bundle's root: the program's command
/// line and environment are part of what is measured.
/// </summary>
sealed class PalRuntime : IDisposable
{
    private const string DefaultProgram = "/usr/local/bin/kist-rune";

    private readonly string _bundle;
    private readonly string _program;
    private readonly string[] _global;
    private readonly string _work = Directory.CreateTempSubdirectory("kist-pal-").FullName;
    private readonly Lock _lock = new();
    private readonly Dictionary<int, PalProcess> _processes = [];
    private int _last;

    private PalRuntime(string bundle, string program, string? root)
    {
        _bundle = bundle;
        _program = program;
        _global = root is null ? [] : ["--root", root];
    }

    public static PalRuntime Open(string args)
    {
        string? bundle = null, program = null, root = null;
        foreach (var argument in args.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (argument.Split('=', 2))
            {
                case ["bundle", var value]:
                    bundle = value;
                    break;
                case ["runtime", var value]:
                    program = value;
                    break;
                case ["root", var value]:
                    root = value;
                    break;
                case [var value]:
                    bundle = value;
                    break;
                default:
                    throw new MalformedDataException("pal_init args", -1, $"\"{argument}\" is not known");
            }
        }

        bundle = Path.GetFullPath(bundle ?? throw new MalformedDataException("pal_init args", -1, "no bundle is named"));
        return File.Exists(Path.Combine(bundle, "config.json"))
            ? new PalRuntime(bundle, program ?? DefaultProgram, root) : throw new DirectoryNotFoundException($"{bundle} is no bundle");
    }

    /// <summary>Prepares a program; the caller's descriptors are duplicated.</summary>
    public int Create(IReadOnlyList<string> args, IReadOnlyList<string> environment, int[] files)
    {
        lock (_lock)
        {
            var number = ++_last;
            var process = new PalProcess($"pal-{Environment.ProcessId}-{number}", Path.Combine(_work, $"{number}"), [.. files.Select(Duplicate)]);
            Write(process.Bundle, args, environment);
            _processes.Add(number, process);
            return number;
        }
    }

    /// <summary>Runs a prepared program to its end; its exit code.</summary>
    public int Run(int number)
    {
        var process = Find(number);
        var child = ChildProcess.Start(new ChildStart
        {
            Program = _program,
            Arguments = [.. _global, "run", "--bundle", process.Bundle, process.Id],
            Environment = Variables(),
            Files = process.Files.Select((file, i) => (i, file)).ToDictionary(f => f.i, f => (SafeHandle)f.file),
        });
        return child.Exited.GetAwaiter().GetResult().ExitCode;
    }

    /// <summary>Signals one program, or all (-1), or the last (0).</summary>
    public void Kill(int number, int signal)
    {
        PalProcess[] processes;
        lock (_lock)
            processes = number < 0 ? [.. _processes.Values] : [Find(number == 0 ? _last : number)];
        foreach (var process in processes)
            Call("kill", process.Id, $"{signal}");
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var process in _processes.Values)
            {
                Call("delete", "--force", process.Id);
                process.Dispose();
            }

            _processes.Clear();
        }

        Directory.Delete(_work, recursive: true);
    }

    private PalProcess Find(int number)
    {
        lock (_lock)
            return _processes.GetValueOrDefault(number) ?? throw new ArgumentException($"no process {number}");
    }

    private void Write(string directory, IReadOnlyList<string> args, IReadOnlyList<string> environment)
    {
        var config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(_bundle, "config.json"))) as JsonObject
            ?? throw new MalformedDataException("config.json", -1, "not a JSON object");
        var process = config["process"] as JsonObject ?? throw new MalformedDataException("config.json", -1, "process is missing");
        process["args"] = new JsonArray([.. args.Select(a => (JsonNode)a)]);
        process["env"] = new JsonArray([.. environment.Select(e => (JsonNode)e)]);
        process["terminal"] = false;
        if (config["root"] is JsonObject root)
            root["path"] = Path.GetFullPath(Path.Combine(_bundle, root["path"]?.GetValue<string>() ?? "rootfs"));
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "config.json"), config.ToJsonString());
    }

    private void Call(params string[] arguments) => ChildProcess.Start(new ChildStart
    {
        Program = _program,
        Arguments = [.. _global, .. arguments],
        Environment = Variables(),
    }).Exited.GetAwaiter().GetResult();

    private static SafeFileHandle Duplicate(int descriptor)
    {
        using var borrowed = new SafeFileHandle(descriptor, ownsHandle: false);
        return FilePermissions.Duplicate(borrowed);
    }

    private static Dictionary<string, string> Variables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");

    private sealed record PalProcess(string Id, string Bundle, SafeFileHandle[] Files) : IDisposable
    {
        public void Dispose()
        {
            foreach (var file in Files)
                file.Dispose();
        }
    }
}
