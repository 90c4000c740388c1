using System.CommandLine;
using Kist.Host;

namespace Kist.Cli.Commands.Demo;

/// <summary>
/// <c>kist demo</c>: the main job on this machine, with the program's own commands: an ordinary image is made, encrypted,
/// pushed and run in an attested guest. Ends with the container's output, the attestation verdict and the time of each step.
/// </summary>
static class DemoCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var state = StateOption.Create();
        var command = new Command("demo", "Make, encrypt, push and run an image in an attested guest, and show what happened") { json, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var report = await new DemoRun(parse.Open(state), parse.GetValue(json)).RunAsync(cancellationToken);
            if (parse.GetValue(json))
                Console.Out.WriteLine(DemoJson.Write(report));
            else
                DemoText.Print(report);
            return report.ExitCode;
        });
        return command;
    }
}
