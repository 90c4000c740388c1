using Kist.Pods.Disks;
using Kist.Pods.Guest;
using Kist.Pods.Machines;

namespace Kist.Pods;

/// <summary>What pod to start.</summary>
public sealed record PodSpec
{
    /// <summary>Firmware, kernel and initrd.</summary>
    public required GuestImage Guest { get; init; }

    /// <summary>
    /// The init-data document, byte for byte as hashed; empty for none. A guest without it has no policy and runs nothing.
    /// </summary>
    public ReadOnlyMemory<byte> InitData { get; init; }

    /// <summary>The guest's memory in MiB. It is part of what is measured.</summary>
    public int MemoryMebibytes { get; init; } = 512;

    /// <summary>The guest's processors.</summary>
    public int Cpus { get; init; } = 1;

    /// <summary>The only places that the guest's network reaches; none means no network.</summary>
    public IReadOnlyList<GuestDoor> Doors { get; init; } = [];

    /// <summary>Read-only disks, such as the blobs of a sealed image. They are not measured: the guest proves what it reads.</summary>
    public IReadOnlyList<GuestDisk> Disks { get; init; } = [];

    /// <summary>The interfaces of the pod's network, beside the doors.</summary>
    public IReadOnlyList<GuestInterface> Interfaces { get; init; } = [];

    /// <summary>
    /// True to give memory back to the host that the guest has freed, in pieces of 4 MiB. The host then learns which these are.
    /// </summary>
    public bool ReturnsMemory { get; init; }

    /// <summary>Null to probe for the best that works.</summary>
    public Accelerator? Accelerator { get; init; }

    /// <summary>How long the agent may take to answer first. Emulation on a loaded machine is slow.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(90);
}
