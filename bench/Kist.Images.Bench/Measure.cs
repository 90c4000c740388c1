using System.Diagnostics;

namespace Kist.Images.Bench;

/// <summary>Times things several times and takes the median. What is done before each time does not count.</summary>
static class Measure
{
    public static double Median(int rounds, Action action, Action? before = null)
    {
        var times = new List<double>();
        for (var i = 0; i < rounds; i++)
        {
            before?.Invoke();
            var start = Stopwatch.GetTimestamp();
            action();
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        times.Sort();
        return times[rounds / 2];
    }

    /// <summary>As <see cref="Median"/>, but in seconds of processor time of the whole process: neighbours on the machine do not count.</summary>
    public static double MedianProcessorTime(int rounds, Action action, Action? before = null)
    {
        var times = new List<double>();
        for (var i = 0; i < rounds; i++)
        {
            before?.Invoke();
            var start = Environment.CpuUsage.TotalTime;
            action();
            times.Add((Environment.CpuUsage.TotalTime - start).TotalSeconds);
        }

        times.Sort();
        return times[rounds / 2];
    }

    /// <summary>Wall and processor time of a program; the median of several runs of each.</summary>
    public static (double Wall, double Processor) Program(int rounds, string program, params string[] arguments)
    {
        var processor = new List<double>();
        var wall = Median(rounds, () =>
        {
            // .NET does not tell the processor time of a process that has ended; the shell does.
            var output = Run("bash", ["-c", "TIMEFORMAT='%U %S'; time \"$0\" \"$@\" >/dev/null 2>&1", program, .. arguments]);
            processor.Add(output.Trim().Split(' ').Sum(t => double.Parse(t, System.Globalization.CultureInfo.InvariantCulture)));
        });
        processor.Sort();
        return (wall, processor[rounds / 2]);
    }

    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output + error.Result : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Result}");
    }

    /// <summary>openssl's speed for an algorithm on 64 KiB blocks, bytes a second on one core.</summary>
    public static double OpensslSpeed(params string[] algorithm)
    {
        var line = Run("openssl", ["speed", "-bytes", "65536", "-seconds", "1", .. algorithm]).Split('\n')
            .Last(l => l.Contains('k', StringComparison.Ordinal) && l.TrimEnd().EndsWith('k'));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1].TrimEnd('k'), System.Globalization.CultureInfo.InvariantCulture) * 1000;
    }
}
