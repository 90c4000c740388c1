using Kist.Agent.Volumes;
using Kist.Linux.Terminals;
using Kist.Pods.Protocol;

namespace Kist.Agent.Containers;

/// <summary>Everything that a container's runtime specification says.</summary>
sealed record ContainerPlan
{
    public required string Id { get; init; }

    public required string RootFileSystem { get; init; }

    public required ContainerProcess Process { get; init; }

    /// <summary>Variables that are sealed secrets, with what the program sees instead.</summary>
    public IReadOnlyDictionary<string, string> Unsealed { get; init; } = new Dictionary<string, string>();

    /// <summary>What is mounted into it, parents first.</summary>
    public IReadOnlyList<BoundVolume> Volumes { get; init; } = [];

    public required ContainerUser User { get; init; }

    public required string Hostname { get; init; }

    /// <summary>The container's name in the policy.</summary>
    public required string Name { get; init; }

    public bool Terminal { get; init; }

    /// <summary>The terminal's size at first; null for the kernel's, which is none.</summary>
    public TerminalSize? TerminalSize { get; init; }

    /// <summary>What root in it may do.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = DefaultCapabilities.Names;

    public bool ReadOnlyRoot { get; init; }

    /// <summary>0: no limit.</summary>
    public ulong MemoryBytes { get; init; }

    /// <summary>Thousandths of a CPU; 0: no limit.</summary>
    public uint CpuMillis { get; init; }

    /// <summary>cpu.shares of cgroup v1; 0: the usual.</summary>
    public ulong CpuShares { get; init; }

    /// <summary>The pod's own /dev/shm; null for one of the container's own.</summary>
    public string? SharedMemory { get; init; }

    public uint Pids { get; init; }

    /// <summary>Folder with the container's sockets of guest services; null for none.</summary>
    public string? ServicesFolder { get; init; }

    /// <summary>Folder with "hosts", "hostname" and "resolv.conf" for this container.</summary>
    public required string EtcFolder { get; init; }
}
