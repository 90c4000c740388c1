using System.Globalization;
using System.Text.Json.Nodes;

namespace Kist.Enclaves.Runtime;

/// <summary>
/// What a container uses, from its cgroups (version 1, 2 or both beside each other), in the form of runc's
/// <c>events --stats</c> (runc: types/events.go). What a machine does not count is left out.
/// </summary>
/// <param name="Root">Where the cgroups are mounted: /sys/fs/cgroup.</param>
/// <param name="Membership">The text of /proc/PID/cgroup of the container's process.</param>
public sealed record CgroupStatistics(string Root, string Membership)
{
    private const ulong NanosecondsPerMicrosecond = 1000, NanosecondsPerTick = 10_000_000; // USER_HZ is 100
    private const ulong Unlimited = ulong.MaxValue;

    /// <summary>The statistics.</summary>
    public JsonObject Read() => new()
    {
        ["cpu"] = Cpu(),
        ["memory"] = Memory(),
        ["pids"] = Pids(),
        ["blkio"] = new JsonObject(),
        ["hugetlb"] = new JsonObject(),
        ["intel_rdt"] = new JsonObject(),
        ["network_interfaces"] = null,
    };

    /// <summary>How many of its processes the kernel has killed for want of memory.</summary>
    public ulong OutOfMemoryKills() =>
        Table(Version1("memory") is { } memory ? Path.Combine(memory, "memory.oom_control") : InUnified("memory.events")).GetValueOrDefault("oom_kill");

    private JsonObject Cpu()
    {
        if (Version1("cpuacct") is not { } accounting)
        {
            var stat = Table(InUnified("cpu.stat"));
            return CpuOf(stat, Scaled(stat, "usage_usec"), Scaled(stat, "system_usec"), Scaled(stat, "user_usec"), Scaled(stat, "throttled_usec"));
        }

        var ticks = Table(Path.Combine(accounting, "cpuacct.stat"));
        var throttling = Version1("cpu") is { } cpu ? Table(Path.Combine(cpu, "cpu.stat")) : [];
        return CpuOf(
            throttling, Number(Path.Combine(accounting, "cpuacct.usage")) ?? 0, ticks.GetValueOrDefault("system") * NanosecondsPerTick,
            ticks.GetValueOrDefault("user") * NanosecondsPerTick, throttling.GetValueOrDefault("throttled_time"));
    }

    private static JsonObject CpuOf(Dictionary<string, ulong> stat, ulong total, ulong kernel, ulong user, ulong throttled) => new()
    {
        ["usage"] = new JsonObject { ["total"] = total, ["kernel"] = kernel, ["user"] = user },
        ["throttling"] = new JsonObject
        {
            ["periods"] = stat.GetValueOrDefault("nr_periods"),
            ["throttledPeriods"] = stat.GetValueOrDefault("nr_throttled"),
            ["throttledTime"] = throttled,
        },
    };

    private JsonObject Memory()
    {
        if (Version1("memory") is { } memory)
        {
            var stat = Table(Path.Combine(memory, "memory.stat"));
            return MemoryOf(
                stat, stat.GetValueOrDefault("cache"), Entry(memory, "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.failcnt"),
                Entry(memory, "memory.memsw.usage_in_bytes", "memory.memsw.limit_in_bytes", "memory.memsw.max_usage_in_bytes", "memory.memsw.failcnt"));
        }

        var unified = InUnified("");
        var counted = Table(Path.Combine(unified, "memory.stat"));
        return MemoryOf(
            counted, counted.GetValueOrDefault("file"), Entry(unified, "memory.current", "memory.max", "memory.peak", null),
            Entry(unified, "memory.swap.current", "memory.swap.max", "memory.swap.peak", null));
    }

    private static JsonObject MemoryOf(Dictionary<string, ulong> stat, ulong cache, JsonObject usage, JsonObject swap) => new()
    {
        ["cache"] = cache,
        ["usage"] = usage,
        ["swap"] = swap,
        ["raw"] = new JsonObject(stat.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
    };

    private static JsonObject Entry(string directory, string usage, string limit, string peak, string? failures)
    {
        var entry = new JsonObject { ["limit"] = Number(Path.Combine(directory, limit)) ?? Unlimited };
        if (Number(Path.Combine(directory, usage)) is { } used)
            entry["usage"] = used;
        if (Number(Path.Combine(directory, peak)) is { } most)
            entry["max"] = most;
        entry["failcnt"] = failures is null ? 0 : Number(Path.Combine(directory, failures)) ?? 0;
        return entry;
    }

    private JsonObject Pids()
    {
        var directory = Version1("pids") ?? InUnified("");
        var pids = new JsonObject();
        if (Number(Path.Combine(directory, "pids.current")) is { } current)
            pids["current"] = current;
        if (Number(Path.Combine(directory, "pids.max")) is { } limit && limit != Unlimited)
            pids["limit"] = limit;
        return pids;
    }

    /// <summary>The directory of a controller of version 1; null if it is not one. Lines are "7:cpu,cpuacct:/path".</summary>
    private string? Version1(string controller) => Lines()
        .Where(l => l[1].Split(',').Contains(controller))
        .Select(l => Path.Combine(Root, controller, l[2][1..]))
        .FirstOrDefault(Directory.Exists);

    /// <summary>A file of the cgroup of version 2, whose line is "0::/path"; beside version 1 it is mounted in "unified".</summary>
    private string InUnified(string name)
    {
        var path = Lines().FirstOrDefault(l => l[0] == "0" && l[1].Length == 0)?[2][1..] ?? "";
        var beside = Path.Combine(Root, "unified");
        return Path.Combine(Directory.Exists(beside) ? beside : Root, path, name);
    }

    private IEnumerable<string[]> Lines() => Membership.Split('\n').Select(l => l.Split(':', 3)).Where(l => l is [_, _, ['/', ..]]);

    private static ulong Scaled(Dictionary<string, ulong> stat, string name) => stat.GetValueOrDefault(name) * NanosecondsPerMicrosecond;

    /// <summary>A file with one number, or "max"; null if there is none.</summary>
    private static ulong? Number(string path) => Text(path)?.Trim() switch
    {
        null => null,
        "max" => Unlimited,
        var text => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null,
    };

    /// <summary>A file with a name and a number a line; empty if there is none.</summary>
    private static Dictionary<string, ulong> Table(string path)
    {
        var table = new Dictionary<string, ulong>(StringComparer.Ordinal);
        foreach (var line in (Text(path) ?? "").Split('\n'))
        {
            if (line.Split(' ') is [var name, var value] && ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                table[name] = number;
        }

        return table;
    }

    private static string? Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
