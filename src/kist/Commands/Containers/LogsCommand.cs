using System.CommandLine;
using System.Globalization;
using System.Text;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist logs</c>: what a container wrote, on the stream it wrote it to.</summary>
static class LogsCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("CONTAINER") { Description = "Name or identifier" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Wait for more until the container ends" };
        var times = new Option<bool>("--timestamps", "-t") { Description = "Begin each piece of output with its time" };
        var part = new Option<string?>("--container", "-c") { Description = "Only what one container of a pod wrote", HelpName = "NAME" };
        var console = new Option<bool>("--console") { Description = "Show the virtual machine's serial console instead" };
        var state = StateOption.Create();
        var command = new Command("logs", "Show what a container wrote") { name, follow, times, part, console, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var folder = parse.OpenContainers(state).Find(parse.GetRequiredValue(name));
            if (parse.GetValue(console))
            {
                using var file = new FileStream(folder.ConsoleLog, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                await file.CopyToAsync(Console.OpenStandardOutput(), cancellationToken);
                return ExitCode.Success;
            }

            using var streams = new ProcessConsole();
            var mayGrow = parse.GetValue(follow) ? (Func<bool>)folder.IsSupervised : () => false;
            await foreach (var chunk in OutputLogReader.ReadAsync(folder.OutputLog, mayGrow, cancellationToken))
            {
                if (parse.GetValue(part) is { } wanted && chunk.Container != wanted)
                    continue;
                if (parse.GetValue(times))
                    await streams.WriteAsync(chunk.Source, Stamp(chunk), cancellationToken);
                await streams.WriteAsync(chunk.Source, chunk.Data, cancellationToken);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static byte[] Stamp(OutputChunk chunk) =>
        Encoding.ASCII.GetBytes(chunk.Time.ToString("yyyy-MM-ddTHH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture));
}
