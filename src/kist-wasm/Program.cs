using System.Collections;
using System.Globalization;
using Kist.Formats;
using Kist.Linux.Wasm;

namespace Kist.Wasm;

/// <summary>
/// "kist-wasm [--fuel N] [--seconds N] [--memory BYTES] MODULE [ARGUMENT…]": the enclave runtime for WebAssembly. In an enclave it
/// is a measured program like any other, its command line with the limits is measured, and the module is a measured file.
/// </summary>
static class Program
{
    private const int Failed = 125, WrongUse = 2;
    private const long MaxModuleBytes = 512 << 20;

    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    static int Main(string[] args)
    {
        var limits = new WasmLimits();
        var at = 0;
        for (; at + 1 < args.Length && args[at].StartsWith("--", StringComparison.Ordinal); at += 2)
        {
            if (Limit(limits, args[at], args[at + 1]) is not { } more)
                return Usage();
            limits = more;
        }

        return at < args.Length && !args[at].StartsWith("--", StringComparison.Ordinal) ? Run(args[at..], limits) : Usage();
    }

    private static int Usage()
    {
        Console.Error.WriteLine("kist-wasm: usage: kist-wasm [--fuel N] [--seconds N] [--memory BYTES] MODULE [ARGUMENT…]");
        return WrongUse;
    }

    private static WasmLimits? Limit(WasmLimits limits, string option, string text) =>
        !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0 ? null : option switch
        {
            "--fuel" => limits with { Fuel = number },
            "--seconds" when number <= int.MaxValue / 1000 => limits with { Time = TimeSpan.FromSeconds(number) },
            "--memory" => limits with { MemoryBytes = number },
            _ => null,
        };

    private static int Run(string[] args, WasmLimits limits)
    {
        try
        {
            if (new FileInfo(args[0]).Length > MaxModuleBytes)
                throw new OperationFailedException("read module", args[0], $"it is longer than {MaxModuleBytes} bytes");
            if (limits.Time is { } time)
                EndAfter(time + s_grace, args[0]);
            var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => ((string)e.Key, (string?)e.Value ?? ""));
            return WasmModule.Run(File.ReadAllBytes(args[0]), args, [.. environment], "/", limits);
        }
        catch (Exception e) when (e is OperationFailedException or IOException or UnauthorizedAccessException or DllNotFoundException)
        {
            Console.Error.WriteLine($"kist-wasm: {e.Message}");
            return Failed;
        }
    }

    /// <summary>A module that waits in a call, and does not come back to trap, ends with the process.</summary>
    private static void EndAfter(TimeSpan time, string module) => new Thread(() =>
    {
        Thread.Sleep(time);
        Console.Error.WriteLine($"kist-wasm: run module: {module}: its time is over");
        Environment.Exit(Failed);
    })
    { IsBackground = true }.Start();
}
