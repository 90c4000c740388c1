using System.CommandLine;
using System.Globalization;
using Kist.Formats;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist wait</c>: prints a container's exit code once it has ended.</summary>
static class WaitCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("CONTAINER") { Description = "Name or identifier" };
        var state = StateOption.Create();
        var command = new Command("wait", "Wait until a container has ended and print its exit code") { name, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var folder = parse.OpenContainers(state).Find(parse.GetRequiredValue(name));
            await ControlClient.WaitAsync(folder, cancellationToken);
            if (!folder.Reload())
                throw new OperationFailedException("wait for container", folder.Record.Name, "it has been removed");
            if (folder.Record.ExitCode is not { } code)
                throw new OperationFailedException("wait for container", folder.Record.Name, folder.Record.Error ?? "it did not run");
            Console.Out.WriteLine(code.ToString(CultureInfo.InvariantCulture));
            return ExitCode.Success;
        });
        return command;
    }
}
