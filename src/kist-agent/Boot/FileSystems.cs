using System.Globalization;
using Kist.Linux.Files;

namespace Kist.Agent.Boot;

/// <summary>The guest's file systems. All of them are memory, which the TEE encrypts; there is no disk to leak to.</summary>
static class FileSystems
{
    /// <summary>Images, containers and their state.</summary>
    public const string Work = "/run/kist";

    /// <summary>Memory that is left to the agent, crun and the smallest container.</summary>
    private const long Reserve = 64L << 20;

    private const long MinimumWork = 16L << 20;

    private const MountOptions Plain = MountOptions.NoSetUid | MountOptions.NoDevices | MountOptions.NoExecution;

    public static void Mount()
    {
        Mounts.Mount("proc", "/proc", "proc", Plain);
        Mounts.Mount("sysfs", "/sys", "sysfs", Plain);
        Mounts.Mount("devtmpfs", "/dev", "devtmpfs", MountOptions.NoSetUid | MountOptions.NoExecution, "mode=0755");
        Directory.CreateDirectory("/dev/pts");
        Mounts.Mount("devpts", "/dev/pts", "devpts", MountOptions.NoSetUid | MountOptions.NoExecution, "newinstance,ptmxmode=0666,mode=0620,gid=5");
        Mounts.Mount("tmpfs", "/run", "tmpfs", MountOptions.NoSetUid | MountOptions.NoDevices, "mode=0755,size=16m");
        Directory.CreateDirectory(Work);
        // Memory that holds files cannot be taken back: without a bound, a big image would end the kernel instead of the pull.
        var size = Math.Max(MinimumWork, AvailableMemory() - Reserve);
        // Container roots hold set-user-id programs; devices in layers are of no effect (crun makes its own /dev).
        Mounts.Mount("tmpfs", Work, "tmpfs", MountOptions.NoDevices, $"mode=0700,size={size}");
        Mounts.Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", Plain);
        File.WriteAllText("/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids +cpu");
        // The kernel's rootfs cannot be pivoted away from, and crun pivots.
        Mounts.MoveRootOntoItself("/mnt");
    }

    private static long AvailableMemory()
    {
        const string Key = "MemAvailable:";
        var line = File.ReadLines("/proc/meminfo").First(l => l.StartsWith(Key, StringComparison.Ordinal));
        return long.Parse(line.AsSpan(Key.Length).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) << 10;
    }
}
