using System.CommandLine;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist stop</c> and <c>kist kill</c>.</summary>
static class StopCommand
{
    public static Command CreateStop()
    {
        var names = Names();
        var time = new Option<int>("--time", "-t") { Description = "Seconds to wait before killing it", DefaultValueFactory = _ => 10 };
        var state = StateOption.Create();
        var command = new Command("stop", "Ask containers to end (SIGTERM), and kill those that do not") { names, time, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var store = parse.OpenContainers(state);
            foreach (var name in parse.GetRequiredValue(names))
            {
                var folder = store.Find(name);
                await StopAsync(folder, TimeSpan.FromSeconds(parse.GetValue(time)), cancellationToken);
                Console.Out.WriteLine(name);
            }

            return ExitCode.Success;
        });
        return command;
    }

    public static Command CreateKill()
    {
        var names = Names();
        var signal = new Option<string>("--signal", "-s") { Description = "Signal to send", DefaultValueFactory = _ => "KILL" };
        var state = StateOption.Create();
        var command = new Command("kill", "Send a signal to containers") { names, signal, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var store = parse.OpenContainers(state);
            var number = LinuxSignal.Parse(parse.GetRequiredValue(signal));
            foreach (var name in parse.GetRequiredValue(names))
            {
                await ControlClient.SignalAsync(store.Find(name), number, cancellationToken);
                Console.Out.WriteLine(name);
            }

            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Ends a container: politely, then not. Returns once its record says how it ended.</summary>
    public static async Task StopAsync(ContainerFolder folder, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!folder.IsSupervised())
            return;
        await ControlClient.SignalAsync(folder, LinuxSignal.Terminate, cancellationToken);
        try
        {
            await ControlClient.WaitAsync(folder, cancellationToken).WaitAsync(patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            await ControlClient.SignalAsync(folder, LinuxSignal.Kill, cancellationToken);
            await ControlClient.WaitAsync(folder, cancellationToken);
        }
    }

    private static Argument<string[]> Names() => new("CONTAINER") { Description = "Names or identifiers", Arity = ArgumentArity.OneOrMore };
}
