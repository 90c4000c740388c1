using System.Globalization;
using Kist.Pods.Protocol.Metrics;

namespace Kist.Shim.Tasks;

/// <summary>What processes of the host use: the overhead of a pod, and the memory of its guest.</summary>
internal static class HostUse
{
    private const ulong PageSize = 4096, MicrosecondsPerTick = 10_000;

    public static Metrics Of(IReadOnlyList<int> processes)
    {
        var metrics = new Metrics { Pids = new PidsStat(), Cpu = new CPUStat(), Memory = new MemoryStat { UsageLimit = ulong.MaxValue } };
        foreach (var pid in processes.Where(p => p > 0))
        {
            try
            {
                Add(metrics, pid);
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        return metrics;
    }

    /// <summary>proc_pid_statm(5): the second number is the resident set. proc_pid_stat(5): 14 and 15 are user and system time.</summary>
    private static void Add(Metrics metrics, int pid)
    {
        var resident = ulong.Parse(File.ReadAllText($"/proc/{pid}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * PageSize;
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        // The program's name, in parentheses, may hold blanks.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var (user, system) = (ulong.Parse(fields[11], CultureInfo.InvariantCulture), ulong.Parse(fields[12], CultureInfo.InvariantCulture));
        metrics.Memory.Usage += resident;
        metrics.Memory.Anon += resident;
        metrics.Cpu.UserUsec += user * MicrosecondsPerTick;
        metrics.Cpu.SystemUsec += system * MicrosecondsPerTick;
        metrics.Cpu.UsageUsec += (user + system) * MicrosecondsPerTick;
        metrics.Pids.Current += ulong.Parse(fields[17], CultureInfo.InvariantCulture);
    }
}
