using System.CommandLine;
using System.Text.Json;
using Kist.Formats;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary>
/// A supervisor in the background: another process of this program, in a session of its own, holding no stream of the
/// caller's.
/// </summary>
static class DetachedSupervisor
{
    /// <summary>Starts it and returns once the container runs.</summary>
    public static async Task StartAsync(
        StateDirectory state, ContainerFolder folder, RunRequest request, CancellationToken cancellationToken)
    {
        folder.SaveRequest(request);
        SelfProcess.StartInBackground(Path.Combine(state.Logs, $"{folder.Record.ShortId}.log"), "supervise", "--state", state.Root, folder.Record.Id);
        await WaitUntilRunningAsync(folder, request, cancellationToken);
    }

    /// <summary>The hidden command that the background process runs.</summary>
    public static Command CreateCommand()
    {
        var id = new Argument<string>("ID");
        var state = StateOption.Create();
        var command = new Command("supervise", "Supervise a detached container (started by kist run -d)") { id, state };
        command.Hidden = true;
        command.SetAction(async (parse, cancellationToken) =>
        {
            var directory = parse.Open(state);
            var folder = new ContainerStore(directory, TimeProvider.System).Find(parse.GetRequiredValue(id));
            var supervisor = new Supervisor(folder, folder.LoadRequest(), PodStarters.Create(directory), TimeProvider.System);
            return await supervisor.RunAsync(console: null, new StepLines(verbose: true), cancellationToken);
        });
        return command;
    }

    private static async Task WaitUntilRunningAsync(ContainerFolder folder, RunRequest request, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (folder.Reload() && folder.Record.Status == ContainerStatus.Starting)
        {
            if (TimeProvider.System.GetElapsedTime(started) > request.StartTimeout + TimeSpan.FromSeconds(10))
                break;
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }

        if (folder.Record.Status is ContainerStatus.Starting or ContainerStatus.Failed)
        {
            throw new OperationFailedException(
                "run container", folder.Record.Name, folder.Record.Error ?? "its supervisor does not answer", "kist ps -a");
        }
    }
}
