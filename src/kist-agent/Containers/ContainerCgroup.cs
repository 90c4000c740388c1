using System.Globalization;
using Kist.Linux.Processes;
using Kist.Pods.Protocol.Agent;
using Kist.Pods.Protocol.Metrics;

namespace Kist.Agent.Containers;

/// <summary>A container's cgroup (v2, Documentation/admin-guide/cgroup-v2.rst): its limits, its use, and all its processes.</summary>
sealed class ContainerCgroup(string containerId)
{
    private const ulong PeriodMicroseconds = 100_000;
    private static readonly TimeSpan FreezeTimeout = TimeSpan.FromSeconds(10), FreezePoll = TimeSpan.FromMilliseconds(5);

    /// <summary>How many of its processes the kernel has ended for want of memory.</summary>
    public ulong OutOfMemoryKills => ReadKeys("memory.events").GetValueOrDefault("oom_kill");

    public Metrics Metrics()
    {
        var cpu = ReadKeys("cpu.stat");
        var memory = ReadKeys("memory.stat");
        var events = ReadKeys("memory.events");
        return new Metrics
        {
            Pids = new PidsStat { Current = ReadNumber("pids.current"), Limit = ReadNumber("pids.max") },
            Cpu = new CPUStat
            {
                UsageUsec = cpu.GetValueOrDefault("usage_usec"),
                UserUsec = cpu.GetValueOrDefault("user_usec"),
                SystemUsec = cpu.GetValueOrDefault("system_usec"),
                NrPeriods = cpu.GetValueOrDefault("nr_periods"),
                NrThrottled = cpu.GetValueOrDefault("nr_throttled"),
                ThrottledUsec = cpu.GetValueOrDefault("throttled_usec"),
            },
            Memory = new MemoryStat
            {
                Anon = memory.GetValueOrDefault("anon"),
                File = memory.GetValueOrDefault("file"),
                KernelStack = memory.GetValueOrDefault("kernel_stack"),
                Slab = memory.GetValueOrDefault("slab"),
                Sock = memory.GetValueOrDefault("sock"),
                Shmem = memory.GetValueOrDefault("shmem"),
                FileMapped = memory.GetValueOrDefault("file_mapped"),
                InactiveAnon = memory.GetValueOrDefault("inactive_anon"),
                ActiveAnon = memory.GetValueOrDefault("active_anon"),
                InactiveFile = memory.GetValueOrDefault("inactive_file"),
                ActiveFile = memory.GetValueOrDefault("active_file"),
                Unevictable = memory.GetValueOrDefault("unevictable"),
                SlabReclaimable = memory.GetValueOrDefault("slab_reclaimable"),
                SlabUnreclaimable = memory.GetValueOrDefault("slab_unreclaimable"),
                Pgfault = memory.GetValueOrDefault("pgfault"),
                Pgmajfault = memory.GetValueOrDefault("pgmajfault"),
                Usage = ReadNumber("memory.current"),
                UsageLimit = ReadNumber("memory.max") is > 0 and var limit ? limit : ulong.MaxValue,
            },
            MemoryEvents = new MemoryEvents
            {
                Low = events.GetValueOrDefault("low"),
                High = events.GetValueOrDefault("high"),
                Max = events.GetValueOrDefault("max"),
                Oom = events.GetValueOrDefault("oom"),
                OomKill = events.GetValueOrDefault("oom_kill"),
            },
        };
    }

    /// <summary>Sets the limits that are not 0.</summary>
    public void SetLimits(ResourceLimits limits)
    {
        if (limits.MemoryBytes > 0)
        {
            Write("memory.max", limits.MemoryBytes);
            Write("memory.swap.max", 0);
        }

        if (limits.CpuMillis > 0)
            WriteText("cpu.max", string.Create(CultureInfo.InvariantCulture, $"{limits.CpuMillis * PeriodMicroseconds / 1000} {PeriodMicroseconds}"));
        if (limits.CpuShares > 0)
            Write("cpu.weight", WeightOf(limits.CpuShares));
        if (limits.Pids > 0)
            Write("pids.max", limits.Pids);
    }

    /// <summary>cpu.shares of cgroup v1 as cpu.weight of v2, as OCI runtimes convert it: 2…262144 becomes 1…10000.</summary>
    internal static ulong WeightOf(ulong shares) => 1 + ((Math.Clamp(shares, 2, 262_144) - 2) * 9999 / 262_142);

    /// <summary>Stops all processes where they are, or lets them go on; returns when that is so.</summary>
    public async Task FreezeAsync(bool frozen, CancellationToken cancellationToken)
    {
        var wanted = frozen ? 1u : 0;
        Write("cgroup.freeze", wanted);
        for (var waited = TimeSpan.Zero; ReadKeys("cgroup.events").GetValueOrDefault("frozen") != wanted; waited += FreezePoll)
        {
            if (waited > FreezeTimeout)
                throw new IOException($"the processes of {containerId} are not {(frozen ? "stopped" : "running")} after {FreezeTimeout.TotalSeconds:0} s");
            await Task.Delay(FreezePoll, cancellationToken);
        }
    }

    /// <summary>Sends a signal to every process. The numbers may change meanwhile: one that is just being made can be missed, but by SIGKILL.</summary>
    public void SignalAll(int signal)
    {
        if (signal == Signals.Kill)
        {
            Write("cgroup.kill", 1);
            return;
        }

        foreach (var line in File.ReadAllLines(PathOf("cgroup.procs")))
        {
            if (int.TryParse(line, out var pid) && pid > 0)
                Signals.Send(pid, signal);
        }
    }

    private string PathOf(string file) => $"/sys/fs/cgroup/kist/{containerId}/{file}";

    private void Write(string file, ulong value) => WriteText(file, value.ToString(CultureInfo.InvariantCulture));

    private void WriteText(string file, string text) => File.WriteAllText(PathOf(file), text);

    /// <summary>0 for "max", and once the cgroup is gone with its last process.</summary>
    private ulong ReadNumber(string file)
    {
        try
        {
            return ulong.TryParse(File.ReadAllText(PathOf(file)), out var value) ? value : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>A file of lines "key number"; empty once the cgroup is gone.</summary>
    private Dictionary<string, ulong> ReadKeys(string file)
    {
        var keys = new Dictionary<string, ulong>(StringComparer.Ordinal);
        try
        {
            foreach (var line in File.ReadLines(PathOf(file)))
            {
                var separator = line.IndexOf(' ', StringComparison.Ordinal);
                if (separator > 0 && ulong.TryParse(line.AsSpan(separator + 1), out var value))
                    keys[line[..separator]] = value;
            }
        }
        catch (IOException)
        {
            // Its last process has ended.
        }

        return keys;
    }
}
