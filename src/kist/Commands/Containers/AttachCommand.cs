using System.CommandLine;
using Kist.Formats;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist attach</c>: joins the streams of a container that runs.</summary>
static class AttachCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("CONTAINER") { Description = "Name or identifier" };
        var part = new Option<string?>("--container", "-c") { Description = "Which container of a pod (default: the first)", HelpName = "NAME" };
        var noInput = new Option<bool>("--no-stdin") { Description = "Do not pass standard input on" };
        var state = StateOption.Create();
        var command = new Command("attach", "Join the streams of a container that runs, from now on; exits with its exit code") { name, part, noInput, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            try
            {
                var folder = parse.OpenContainers(state).Find(parse.GetRequiredValue(name));
                using var process = await ControlClient.AttachAsync(folder, parse.GetValue(part), cancellationToken);
                return await AttachedTerminal.RunAsync(process, !parse.GetValue(noInput), cancellationToken);
            }
            catch (Exception e) when (e is OperationFailedException or MalformedDataException or OperationCanceledException)
            {
                Failure.Print(e);
                return FailureKind.ExitCodeOf(e);
            }
        });
        return command;
    }
}
