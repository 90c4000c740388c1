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

    private static RawTerminal? RawTerminalIfAsked(RunRequest request)
    {
        if (!request.Terminal || !request.Interactive || Console.IsInputRedirected)
            return null;
        return new RawTerminal(new SafeFileHandle(0, ownsHandle: false));
    }
}
