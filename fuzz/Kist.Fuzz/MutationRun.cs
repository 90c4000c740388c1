using System.Diagnostics;
using System.Security.Cryptography;

namespace Kist.Fuzz;

/// <summary>
/// Feeds changed samples to a target for a time. Findings are inputs that throw what must not come out, take long, or allocate
/// much; each is written to a file, to be run alone.
/// </summary>
static class MutationRun
{
    private const long MaximumAllocation = 512L << 20;
    private const int MaximumFindings = 20;

    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(5);

    /// <summary>Runs; returns the number of findings.</summary>
    public static int Run(string name, Action<byte[]> target, string corpus, TimeSpan duration, int seed, string findings)
    {
        var samples = Samples(corpus);
        var mutator = new Mutator(new Random(seed), samples);
        var kinds = new HashSet<string>(StringComparer.Ordinal);
        var inputs = 0L;
        var until = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        foreach (var sample in samples)
            Try(sample);
        for (; Stopwatch.GetTimestamp() < until && kinds.Count < MaximumFindings; inputs++)
            Try(mutator.Next());
        Console.Out.WriteLine($"{name}: {samples.Count} samples, {inputs} inputs in {duration.TotalSeconds:0} s, seed {seed}, {kinds.Count} findings");
        return kinds.Count;

        void Try(byte[] data)
        {
            var start = Stopwatch.GetTimestamp();
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            string? problem = null;
            try
            {
                Targets.Run(target, data);
            }
            catch (Exception e)
            {
                problem = $"{e.GetType().Name} in {e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Kist.", StringComparison.Ordinal))?.Trim()}";
            }

            if (problem is null && Stopwatch.GetElapsedTime(start) > s_slow)
                problem = "slow";
            if (problem is null && GC.GetAllocatedBytesForCurrentThread() - allocated > MaximumAllocation)
                problem = "large allocation";
            if (problem is null || !kinds.Add(problem))
                return;
            var file = Path.Combine(findings, $"{name}-{Convert.ToHexStringLower(SHA256.HashData(data))[..16]}");
            Directory.CreateDirectory(findings);
            File.WriteAllBytes(file, data);
            Console.Error.WriteLine($"{name}: {problem}: {file}");
        }
    }

    private static List<byte[]> Samples(string corpus)
    {
        const int largest = 1 << 20;
        var samples = Directory.EnumerateFiles(corpus, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => new FileInfo(f)).Where(f => f.Length is > 0 and <= largest).Select(f => File.ReadAllBytes(f.FullName)).ToList();
        return samples.Count > 0 ? samples : throw new InvalidOperationException($"{corpus} holds no sample of at most {largest} bytes");
    }
}
