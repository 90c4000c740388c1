using System.Globalization;
using Kist.Pods.Guest;

namespace Kist.Pods.Bench;

/// <summary>
/// How long a pod takes from the exec of QEMU, against a bare boot of the same firmware, kernel and command line with a
/// busybox init, both in turns in one run. Ratios hold on a loaded machine, where times do not.
/// <code>
/// dotnet run -c Release --project bench/Kist.Pods.Bench -- [GUEST-FOLDER] [ROUNDS]
/// </code>
/// </summary>
static class Program
{
    static async Task<int> Main(string[] arguments)
    {
        var folder = arguments.Length > 0 ? arguments[0] : "artifacts/test-guest";
        var rounds = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 5;
        using var image = GuestImage.Load(folder);
        await using var bench = await BootBench.PrepareAsync(image);
        var bare = new List<double>();
        var pods = new List<PodTimes>();
        for (var round = 0; round < rounds; round++)
        {
            bare.Add(await bench.BootBusyboxAsync());
            pods.Add(await bench.BootPodAsync());
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round + 1}: busybox {bare[^1]:0.00} s, agent {pods[^1].Answer:0.00} s, container {pods[^1].FirstByte:0.00} s"));
        }

        Print("exec of QEMU to busybox init's first line", bare, bare);
        Print("exec of QEMU to the agent's first answer", [.. pods.Select(p => p.Answer)], bare);
        Print("exec of QEMU to the container's first byte", [.. pods.Select(p => p.FirstByte)], bare);
        Print("  of which fetching and unpacking the image", [.. pods.Select(p => p.Image)], bare);
        Console.Out.WriteLine($"agent's resident memory: {pods.Max(p => p.ResidentBytes) >> 10} KiB after the first answer, {pods.Max(p => p.ResidentAfterBytes) >> 10} KiB with the container running");
        return 0;
    }

    private static void Print(string what, IReadOnlyList<double> seconds, IReadOnlyList<double> limit) =>
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: median {Median(seconds):0.00} s, ratio {Median(seconds) / Median(limit):0.00}"));

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
