using System.Text.Json.Nodes;
using Kist.Enclaves.Runtime;

namespace Kist.Enclaves.Tests.Runtime;

/// <summary>Statistics of cgroups of either version, laid out as the kernel does, in runc's form.</summary>
public sealed class CgroupStatisticsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kist-cgroup-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Read_Version2_HasRuncsMembers()
    {
        Write("pod/c/cpu.stat", "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 4\nnr_throttled 2\nthrottled_usec 7\n");
        Write("pod/c/memory.current", "4096\n");
        Write("pod/c/memory.max", "max\n");
        Write("pod/c/memory.peak", "8192\n");
        Write("pod/c/memory.stat", "anon 10\nfile 20\n");
        Write("pod/c/memory.events", "low 0\noom 3\noom_kill 2\n");
        Write("pod/c/pids.current", "6\n");
        Write("pod/c/pids.max", "100\n");
        var statistics = new CgroupStatistics(_root, "0::/pod/c\n");
        AssertJson("""{"usage":{"total":5000000,"kernel":2000000,"user":3000000},"throttling":{"periods":4,"throttledPeriods":2,"throttledTime":7000}}""", statistics.Read()["cpu"]);
        AssertJson(
            """{"cache":20,"usage":{"limit":18446744073709551615,"usage":4096,"max":8192,"failcnt":0},"swap":{"limit":18446744073709551615,"failcnt":0},"raw":{"anon":10,"file":20}}""",
            statistics.Read()["memory"]);
        AssertJson("""{"current":6,"limit":100}""", statistics.Read()["pids"]);
        Assert.Equal(2UL, statistics.OutOfMemoryKills());
    }

    [Fact]
    public void Read_Version1BesideVersion2_ReadsEachControllerWhereItIs()
    {
        Write("cpuacct/c/cpuacct.usage", "123456\n");
        Write("cpuacct/c/cpuacct.stat", "user 3\nsystem 4\n");
        Write("cpu/c/cpu.stat", "nr_periods 1\nnr_throttled 2\nthrottled_time 3\n");
        Write("memory/m/memory.usage_in_bytes", "4096\n");
        Write("memory/m/memory.limit_in_bytes", "65536\n");
        Write("memory/m/memory.max_usage_in_bytes", "5000\n");
        Write("memory/m/memory.failcnt", "9\n");
        Write("memory/m/memory.stat", "cache 11\nrss 12\n");
        Write("memory/m/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
        Write("unified/u/pids.current", "77\n");
        Write("pids/c/pids.current", "2\n");
        Write("pids/c/pids.max", "max\n");
        var statistics = new CgroupStatistics(_root, "9:name=systemd:/c\n8:pids:/c\n4:memory:/m\n2:cpu,cpuacct:/c\n0::/u\n");
        AssertJson("""{"usage":{"total":123456,"kernel":40000000,"user":30000000},"throttling":{"periods":1,"throttledPeriods":2,"throttledTime":3}}""", statistics.Read()["cpu"]);
        AssertJson("""{"limit":65536,"usage":4096,"max":5000,"failcnt":9}""", statistics.Read()["memory"]!["usage"]);
        AssertJson("""{"current":2}""", statistics.Read()["pids"]);
        Assert.Equal(5UL, statistics.OutOfMemoryKills());
    }

    [Fact]
    public void Read_NoSuchCgroup_CountsNothing()
    {
        var read = new CgroupStatistics(_root, "0::/gone\nno line\n").Read();
        AssertJson("{}", read["pids"]);
        Assert.Equal(0UL, read["cpu"]!["usage"]!["total"]!.GetValue<ulong>());
    }

    private static void AssertJson(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual!.ToJsonString())), actual!.ToJsonString());

    private void Write(string path, string text)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
