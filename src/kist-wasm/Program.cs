using System.Collections;
using Kist.Formats;
using Kist.Linux.Wasm;

namespace Kist.Wasm;

/// <summary>
/// "kist-wasm MODULE [ARGUMENT…]": the enclave runtime for WebAssembly. In an enclave it is a measured program like any other,
/// and the module a measured file.
/// </summary>
static class Program
{
    private const int Failed = 125, WrongUse = 2;
    private const long MaxModuleBytes = 512 << 20;

    static int Main(string[] args)
    {
        if (args.Length == 0)
        {
            Console.Error.WriteLine("kist-wasm: usage: kist-wasm MODULE [ARGUMENT…]");
            return WrongUse;
        }

        try
        {
            if (new FileInfo(args[0]).Length > MaxModuleBytes)
                throw new OperationFailedException("read module", args[0], $"it is longer than {MaxModuleBytes} bytes");
            var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => ((string)e.Key, (string?)e.Value ?? ""));
            return WasmModule.Run(File.ReadAllBytes(args[0]), args, [.. environment], "/");
        }
        catch (Exception e) when (e is OperationFailedException or IOException or UnauthorizedAccessException or DllNotFoundException)
        {
            Console.Error.WriteLine($"kist-wasm: {e.Message}");
            return Failed;
        }
    }
}
