using System.Runtime.InteropServices;
using Kist.Host;
using Kist.Linux.Terminals;
using Microsoft.Win32.SafeHandles;

namespace Kist.Cli.Commands.Containers;

/// <summary>Runs a container with this process as its supervisor and this terminal as its console.</summary>
static class ForegroundRun
{
    public static async Task<int> RunAsync(
        StateDirectory state, ContainerFolder folder, RunRequest request, bool verbose, CancellationToken cancellationToken)
    {
        var supervisor = new Supervisor(folder, request, PodStarters.Create(state), TimeProvider.System);
        Interruption.ForwardTo(signal => supervisor.Signal(NumberOf(signal)));
        using var raw = RawTerminalIfAsked(request);
        using var resized = FollowSize(request, supervisor);
        using var console = new ProcessConsole();
        return await supervisor.RunAsync(console, new StepLines(verbose), cancellationToken);
    }

    private static int NumberOf(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGINT => LinuxSignal.Interrupt,
        PosixSignal.SIGHUP => LinuxSignal.Hangup,
        PosixSignal.SIGQUIT => LinuxSignal.Quit,
        _ => LinuxSignal.Terminate,
    };

    /// <summary>Tells the size of this terminal, and again whenever its window changes.</summary>
    private static PosixSignalRegistration? FollowSize(RunRequest request, Supervisor supervisor)
    {
        var output = new SafeFileHandle(1, ownsHandle: false);
        if (!request.Terminal || !RawTerminal.IsTerminal(output))
            return null;
        Tell();
        return PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Tell());

        void Tell()
        {
            var size = TerminalSize.Get(output);
            if (size is { Rows: > 0, Columns: > 0 })
                supervisor.Resize(size.Rows, size.Columns);
        }
    }

    private static RawTerminal? RawTerminalIfAsked(RunRequest request)
    {
        if (!request.Terminal || !request.Interactive || Console.IsInputRedirected)
            return null;
        return new RawTerminal(new SafeFileHandle(0, ownsHandle: false));
    }
}
