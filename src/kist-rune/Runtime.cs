using System.Collections;
using Kist.Enclaves.Runtime;
using Kist.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Kist.Rune;

/// <summary>Calls the underlying OCI runtime.</summary>
static class Runtime
{
    /// <summary>Becomes the underlying runtime, with these arguments. Returns only by throwing.</summary>
    public static int Become(IReadOnlyList<string> arguments)
    {
        var path = UnderlyingRuntime.Find();
        Execution.Replace(path, [path, .. arguments], Variables().Select(v => $"{v.Key}={v.Value}"));
        return 1;
    }

    /// <summary>Runs it with this process's input and output. Its exit code.</summary>
    public static async Task<int> CallAsync(IReadOnlyList<string> arguments)
    {
        var files = Enumerable.Range(0, 3).ToDictionary(n => n, System.Runtime.InteropServices.SafeHandle (n) => new SafeFileHandle(n, ownsHandle: false));
        var child = ChildProcess.Start(new ChildStart
        {
            Program = UnderlyingRuntime.Find(),
            Arguments = arguments,
            Environment = Variables(),
            Files = files,
        });
        return (await child.Exited).ExitCode;
    }

    /// <summary>Runs it and returns what it prints, at most a mebibyte.</summary>
    public static async Task<(int ExitCode, string Output)> CaptureAsync(IReadOnlyList<string> arguments)
    {
        const int limit = 1 << 20;
        var (read, write) = Kist.Linux.Polling.Pipes.Create();
        using var output = new FileStream(read, FileAccess.Read, bufferSize: 0);
        ChildProcess child;
        using (write)
        {
            child = ChildProcess.Start(new ChildStart
            {
                Program = UnderlyingRuntime.Find(),
                Arguments = arguments,
                Environment = Variables(),
                Files = new Dictionary<int, System.Runtime.InteropServices.SafeHandle> { [1] = write, [2] = new SafeFileHandle(2, ownsHandle: false) },
            });
        }

        var buffer = new byte[limit];
        var length = 0;
        for (int count; length < limit && (count = output.Read(buffer.AsSpan(length))) > 0; length += count)
        {
        }

        return ((await child.Exited).ExitCode, System.Text.Encoding.UTF8.GetString(buffer, 0, length));
    }

    private static Dictionary<string, string> Variables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
}
