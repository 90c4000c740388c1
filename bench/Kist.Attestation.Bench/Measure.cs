using System.Diagnostics;
using System.Globalization;

namespace Kist.Attestation.Bench;

/// <summary>Times operations by the processor time of this process, so that neighbours on the machine do not count.</summary>
static class Measure
{
    private const int Rounds = 5;

    /// <summary>Operations a second of processor time: the median of several rounds of about half a second, after a warm-up.</summary>
    public static double PerSecond(Action operation)
    {
        var count = 1;
        while (Time(operation, count) < 0.25)
            count *= 2;
        count *= 2;
        var rates = new List<double>();
        for (var i = 0; i < Rounds; i++)
            rates.Add(count / Time(operation, count));
        rates.Sort();
        return rates[Rounds / 2];
    }

    /// <summary>Bytes allocated by one operation on this thread, once warm.</summary>
    public static double BytesAllocated(Action operation)
    {
        const int Count = 200;
        operation();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Count; i++)
            operation();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Count;
    }

    /// <summary>
    /// Operations on several threads at once: a second of wall time, and a second of processor time. Where they scale with cores, the
    /// second is the same for every number of threads, on a machine with neighbours too; the first is only on a quiet one.
    /// </summary>
    public static (double Wall, double Processor) PerSecond(Action operation, int threads)
    {
        const int Count = 20_000;
        operation();
        var start = Stopwatch.GetTimestamp();
        var processor = Environment.CpuUsage.TotalTime;
        var all = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < Count; i++)
                operation();
        })).ToList();
        all.ForEach(t => t.Start());
        all.ForEach(t => t.Join());
        var done = (double)threads * Count;
        return (done / Stopwatch.GetElapsedTime(start).TotalSeconds, done / (Environment.CpuUsage.TotalTime - processor).TotalSeconds);
    }

    /// <summary>openssl's own figure for verifications a second of processor time, such as for "ecdsap256".</summary>
    public static double OpensslVerify(string algorithm)
    {
        var line = Run("openssl", "speed", "-seconds", "2", algorithm).Split('\n').Last(l => l.Contains("ecdsa", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1], CultureInfo.InvariantCulture);
    }

    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Result}");
    }

    private static double Time(Action operation, int count)
    {
        var start = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < count; i++)
            operation();
        return (Environment.CpuUsage.TotalTime - start).TotalSeconds;
    }
}
