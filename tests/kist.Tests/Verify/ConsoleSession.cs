namespace Kist.Cli.Tests.Verify;

/// <summary>Runs a command line in this process, and keeps what it prints. The console is global: sessions run one after another.</summary>
[CollectionDefinition(nameof(ConsoleSession), DisableParallelization = true)]
public sealed class ConsoleSession
{
    public required int ExitCode { get; init; }

    public required string Output { get; init; }

    public required string Error { get; init; }

    public static ConsoleSession Run(string[] line)
    {
        var (output, error) = (Console.Out, Console.Error);
        using var newOutput = new StringWriter { NewLine = "\n" };
        using var newError = new StringWriter { NewLine = "\n" };
        Console.SetOut(newOutput);
        Console.SetError(newError);
        try
        {
            var code = InvokeAsync(line).GetAwaiter().GetResult();
            return new ConsoleSession { ExitCode = code, Output = newOutput.ToString(), Error = newError.ToString() };
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    private static async Task<int> InvokeAsync(string[] line)
    {
        var parsed = CommandTree.Create().Parse(line);
        Assert.Empty(parsed.Errors);
        try
        {
            return await parsed.InvokeAsync(new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (Failure.ExitCodeOf(e) is { } code)
        {
            Failure.Print(e);
            return code;
        }
    }
}
