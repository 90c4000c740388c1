using System.CommandLine;

namespace Kist.Cli;

static class Program
{
    static async Task<int> Main(string[] args)
    {
        // Answered before anything else is set up: shells and scripts ask this often.
        if (args is ["--version"])
        {
            Console.Out.WriteLine($"kist {KistVersion.Text}");
            return ExitCode.Success;
        }

        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        var parsed = CommandTree.Create().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                Terminal.Error(error.Message);
            Terminal.Hint($"kist {string.Join(' ', CommandTree.PathOf(parsed.CommandResult))} --help".Replace("  ", " "));
            return ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(configuration, Interruption.Watch());
        }
        catch (Exception e) when (Failure.ExitCodeOf(e) is { } code)
        {
            Failure.Print(e);
            return code;
        }
    }
}
