using System.CommandLine;
using Kist.Formats;
using Kist.Host;
using Kist.Pods.Protocol;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist exec</c>: as docker exec, where the owner's policy allows the command.</summary>
static class ExecCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("CONTAINER") { Description = "Name or identifier" };
        var words = new Argument<string[]>("COMMAND") { Description = "Program and arguments", Arity = ArgumentArity.OneOrMore, CaptureRemainingTokens = true };
        var part = new Option<string?>("--container", "-c") { Description = "Which container of a pod (default: the first)", HelpName = "NAME" };
        var interactive = new Option<bool>("--interactive", "-i") { Description = "Pass standard input on" };
        var terminal = new Option<bool>("--tty", "-t") { Description = "Give it a terminal" };
        var environment = new Option<string[]>("--env", "-e") { Description = "Environment variable NAME=value" };
        var workdir = new Option<string?>("--workdir", "-w") { Description = "Working directory in the container" };
        var user = new Option<string?>("--user", "-u") { Description = "User, as name or uid, and group: USER[:GROUP]" };
        var state = StateOption.Create();
        var command = new Command("exec", "Run a command in a container that runs, as its policy allows (kist run --allow-exec); exits with its exit code")
        {
            name, words, part, interactive, terminal, environment, workdir, user, state,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            try
            {
                var request = new ExecRequest
                {
                    Arguments = parse.GetRequiredValue(words),
                    Environment = [.. (parse.GetValue(environment) ?? []).Select(RequireValue)],
                    WorkingDirectory = parse.GetValue(workdir) ?? "",
                    User = parse.GetValue(user) ?? "",
                    Terminal = parse.GetValue(terminal),
                    Interactive = parse.GetValue(interactive),
                };
                var folder = parse.OpenContainers(state).Find(parse.GetRequiredValue(name));
                using var process = await ControlClient.ExecuteAsync(folder, parse.GetValue(part), request, cancellationToken);
                return await AttachedTerminal.RunAsync(process, withInput: true, cancellationToken);
            }
            catch (Exception e) when (e is OperationFailedException or MalformedDataException or OperationCanceledException)
            {
                Failure.Print(e);
                return ExitCodeOf(e);
            }
        });
        return command;
    }

    private static string RequireValue(string entry) => entry.IndexOf('=', StringComparison.Ordinal) > 0
        ? entry
        : throw new OperationFailedException("read --env", entry, "it is not NAME=value");

    private static int ExitCodeOf(Exception e) => e switch
    {
        ControlException { Code: FailureCode.ProgramNotFound } => ExitCode.NotFound,
        ControlException { Code: FailureCode.ProgramNotExecutable } => ExitCode.CannotExecute,
        ControlException { Code: FailureCode.PolicyDenied } => ExitCode.Refused,
        _ => FailureKind.ExitCodeOf(e),
    };
}
