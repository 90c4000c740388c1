using System.CommandLine;
using Kist.Formats;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist rm</c>.</summary>
static class RmCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("CONTAINER") { Description = "Names or identifiers", Arity = ArgumentArity.OneOrMore };
        var force = new Option<bool>("--force", "-f") { Description = "Kill a container that still runs" };
        var state = StateOption.Create();
        var command = new Command("rm", "Remove containers that have ended") { names, force, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var store = parse.OpenContainers(state);
            foreach (var name in parse.GetRequiredValue(names))
            {
                var folder = store.Find(name);
                if (folder.IsSupervised())
                {
                    if (!parse.GetValue(force))
                        throw new OperationFailedException("remove container", name, "it is running", $"stop it first, or: kist rm -f {name}");
                    await StopCommand.StopAsync(folder, TimeSpan.Zero, cancellationToken);
                }

                folder.Delete();
                Console.Out.WriteLine(name);
            }

            return ExitCode.Success;
        });
        return command;
    }
}
