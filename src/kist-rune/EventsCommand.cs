using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kist.Enclaves.Runtime;
using Kist.Formats;

namespace Kist.Rune;

/// <summary>
/// "events [--stats] [--interval 5s] ID": runc's own where it is the underlying runtime; crun has none, so for it the
/// statistics and the kills for want of memory are read here, and printed in runc's form, one JSON object a line.
/// </summary>
static partial class EventsCommand
{
    private static readonly TimeSpan s_usualInterval = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(CommandLine line)
    {
        if (Path.GetFileName(UnderlyingRuntime.Find()) != "crun")
            return Runtime.Become(line.All);
        var interval = line.Value("--interval") is { } text ? Duration(text) : s_usualInterval;
        var (exit, output) = await Runtime.CaptureAsync([.. line.Global, "state", line.Id]);
        if (exit != 0)
            return exit;
        var pid = JsonNode.Parse(output)?["pid"]?.GetValue<int>() ?? 0;
        if (pid == 0 || Statistics(pid) is not { } statistics)
            throw new OperationFailedException("read events", line.Id, "the container does not run", "start it first");
        if (line.Has("--stats"))
            Print("stats", line.Id, statistics.Read());
        else
            await WatchAsync(line.Id, pid, statistics, interval);
        return 0;
    }

    /// <summary>Until the container's process has ended.</summary>
    private static async Task WatchAsync(string id, int pid, CgroupStatistics statistics, TimeSpan interval)
    {
        var killed = statistics.OutOfMemoryKills();
        using var timer = new PeriodicTimer(interval);
        do
        {
            var now = statistics.OutOfMemoryKills();
            if (now > killed)
                Print("oom", id, null);
            killed = now;
            Print("stats", id, statistics.Read());
            await timer.WaitForNextTickAsync();
        }
        while (Statistics(pid) == statistics);
    }

    /// <summary>Null if there is no such process. A process of a later owner of the number is in other cgroups.</summary>
    private static CgroupStatistics? Statistics(int pid)
    {
        try
        {
            return new CgroupStatistics("/sys/fs/cgroup", File.ReadAllText($"/proc/{pid}/cgroup"));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void Print(string type, string id, JsonObject? data)
    {
        var line = new JsonObject { ["type"] = type, ["id"] = id };
        if (data is not null)
            line["data"] = data;
        Console.Out.WriteLine(line.ToJsonString());
    }

    /// <summary>A Go duration of one unit: 5s, 500ms, 1m.</summary>
    private static TimeSpan Duration(string text)
    {
        var match = DurationPattern().Match(text);
        if (!match.Success || !int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
            throw new MalformedDataException("--interval", -1, "not a time such as 5s or 500ms");
        return match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            _ => TimeSpan.FromMinutes(number),
        };
    }

    [GeneratedRegex(@"\A([0-9]{1,6})(ms|s|m)\z")]
    private static partial Regex DurationPattern();
}
