using System.Runtime.InteropServices;
using Kist.Host;
using Kist.Linux.Terminals;
using Microsoft.Win32.SafeHandles;

namespace Kist.Cli.Commands.Containers;

/// <summary>Joins this process's streams, and its terminal if it has one, with a process in a guest.</summary>
static class AttachedTerminal
{
    public static async Task<int> RunAsync(AttachedProcess process, bool withInput, CancellationToken cancellationToken)
    {
        var output = new SafeFileHandle(1, ownsHandle: false);
        var hasSize = process.IsTerminal && RawTerminal.IsTerminal(output);
        using var raw = withInput && process is { IsTerminal: true, IsInteractive: true } && !Console.IsInputRedirected ? new RawTerminal(new SafeFileHandle(0, ownsHandle: false)) : null;
        using var resized = hasSize ? PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Tell()) : null;
        if (hasSize)
            Tell();
        using var console = new ProcessConsole();
        return await process.RunAsync(console, withInput && process.IsInteractive, cancellationToken);

        void Tell()
        {
            if (TerminalSize.Get(output) is { Rows: > 0, Columns: > 0 } size)
                _ = process.ResizeAsync(size.Rows, size.Columns, cancellationToken);
        }
    }
}
