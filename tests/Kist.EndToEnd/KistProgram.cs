using System.Diagnostics;
using System.Text;
using Kist.Testing;

namespace Kist.EndToEnd;

/// <summary>How a run of the program ended.</summary>
/// <param name="ExitCode">Its status.</param>
/// <param name="Stdout">All of standard output.</param>
/// <param name="Stderr">All of standard error.</param>
public sealed record ProgramResult(int ExitCode, string Stdout, string Stderr)
{
    public override string ToString() => $"exit {ExitCode}\nstdout: {Stdout}\nstderr: {Stderr}";
}

/// <summary>The published kist executable, as a user runs it.</summary>
public sealed record KistProgram(string State)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    public static string Path { get; } = System.IO.Path.Combine(Evidence.RepositoryRoot, "artifacts", "bin", "kist");

    /// <summary>Variables that it is given beside its state.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Starts it without waiting.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new UTF8Encoding(false),
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["KIST_HOME"] = State;
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs a command that must succeed, and returns its output.</summary>
    public async Task<string> MustAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"kist {string.Join(' ', arguments)}: {result}");
        return result.Stdout;
    }

    /// <summary>Runs it to its end, with no input.</summary>
    public Task<ProgramResult> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    /// <summary>Runs it to its end.</summary>
    public async Task<ProgramResult> RunWithInputAsync(string input, params string[] arguments)
    {
        using var process = Start(arguments);
        return await FinishAsync(process, input);
    }

    /// <summary>Waits for a started program.</summary>
    public static async Task<ProgramResult> FinishAsync(Process process, string input = "")
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var stdout = process.StandardOutput.ReadToEndAsync(limit.Token);
        var stderr = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // it ended without reading
        }

        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new ProgramResult(process.ExitCode, await stdout, await stderr);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
