using System.Diagnostics;

namespace Kist.Testing;

/// <summary>Runs another implementation's program. Tests skip where it is missing.</summary>
public static class ExternalProgram
{
    public static void Require(string program) => Assert.SkipUnless(Find(program) is not null, $"{program} is not installed");

    /// <summary>Runs a program that must succeed and returns its output.</summary>
    public static string Run(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var (exitCode, output, error) = TryRun(program, arguments, environment);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)} exited with {exitCode}: {error}{output}");
        return output;
    }

    public static (int ExitCode, string Output, string Error) TryRun(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        Require(program);
        var start = new ProcessStartInfo(Find(program)!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    private static string? Find(string program) => Path.IsPathRooted(program) && File.Exists(program) ? program : (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin").Split(':')
        .Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);
}
