using Kist.Pods.Disks;
using Kist.Pods.Guest;

namespace Kist.Pods.Machines;

/// <summary>What a virtual machine is made of; all of it is known before the launch is measured.</summary>
public sealed record MachineShape
{
    /// <summary>Firmware, kernel, initrd and command line.</summary>
    public required GuestImage Guest { get; init; }

    /// <summary>Memory in MiB.</summary>
    public required int MemoryMebibytes { get; init; }

    /// <summary>Processors.</summary>
    public required int Cpus { get; init; }

    /// <summary>What executes it.</summary>
    public required Accelerator Accelerator { get; init; }

    /// <summary>Where its network leads; none means that it has none.</summary>
    public IReadOnlyList<GuestDoor> Doors { get; init; } = [];

    /// <summary>Interfaces of the pod's network.</summary>
    public IReadOnlyList<GuestInterface> Interfaces { get; init; } = [];

    /// <summary>True if the guest tells the host of memory that it does not use (virtio 1.2, 5.5, "free page reporting").</summary>
    public bool ReturnsMemory { get; init; }

    /// <summary>Names of the virtio-serial ports.</summary>
    public IReadOnlyList<string> Ports { get; init; } = [];

    /// <summary>A small read-only disk (init-data); empty for none.</summary>
    public ReadOnlyMemory<byte> Disk { get; init; }

    /// <summary>Further read-only disks.</summary>
    public IReadOnlyList<GuestDisk> Disks { get; init; } = [];
}
