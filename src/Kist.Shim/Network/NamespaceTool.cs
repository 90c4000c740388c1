using System.Diagnostics;
using Kist.Formats;

namespace Kist.Shim.Network;

/// <summary>Debian's ip and tc, run in a network namespace.</summary>
internal static class NamespaceTool
{
    private const string Enter = "/usr/bin/nsenter";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Runs a program and returns what it prints.</summary>
    /// <exception cref="OperationFailedException">It failed; the reason is its own.</exception>
    public static string Run(string networkNamespace, string program, params string[] arguments)
    {
        if (!File.Exists(program))
            throw new OperationFailedException("configure network", program, "does not exist", "install the package iproute2");
        using var process = Process.Start(new ProcessStartInfo(Enter, [$"--net={networkNamespace}", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            throw new OperationFailedException("configure network", networkNamespace, $"{program} did not end within {Patience.TotalSeconds:0} s");
        }

        process.WaitForExit();
        return process.ExitCode == 0
            ? output.GetAwaiter().GetResult()
            : throw new OperationFailedException(
                "configure network", $"{networkNamespace}: {Path.GetFileName(program)} {string.Join(' ', arguments)}", error.GetAwaiter().GetResult().Trim());
    }
}
