using System.Diagnostics;
using Kist.Formats;

namespace Kist.Pods.Guest;

/// <summary>Runs a program of the host and takes its output.</summary>
static class Tool
{
    private const int MaximumText = 4 << 20;

    public static async Task<string> ReadAsync(string program, IReadOnlyList<string> arguments, string? folder, CancellationToken cancellationToken)
    {
        var text = "";
        await RunAsync(program, arguments, folder, async output =>
        {
            using var reader = new StreamReader(output, leaveOpen: true);
            var buffer = new char[MaximumText];
            text = new string(buffer, 0, await reader.ReadBlockAsync(buffer, cancellationToken).ConfigureAwait(false));
        }, cancellationToken).ConfigureAwait(false);
        return text;
    }

    public static Task StreamAsync(string program, IReadOnlyList<string> arguments, Func<Stream, Task> read, CancellationToken cancellationToken) =>
        RunAsync(program, arguments, null, read, cancellationToken);

    private static async Task RunAsync(string program, IReadOnlyList<string> arguments, string? folder, Func<Stream, Task> read, CancellationToken cancellationToken)
    {
        if (!File.Exists(program))
            throw new OperationFailedException("run", program, "does not exist", "this needs a Debian system with apt and dpkg");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        if (folder is not null)
            start.WorkingDirectory = folder;
        start.Environment["LC_ALL"] = "C.UTF-8";
        using var process = Process.Start(start)!;
        try
        {
            process.StandardInput.Close();
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await read(process.StandardOutput.BaseStream).ConfigureAwait(false);
            await process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0)
            {
                var last = (await errors.ConfigureAwait(false)).Trim().Split('\n')[^1];
                throw new OperationFailedException("run", $"{Path.GetFileName(program)} {string.Join(' ', arguments)}", $"it ended with status {process.ExitCode}: {last}");
            }
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
