using System.Collections.Immutable;
using Kist.Measurement.Tdx;
using Kist.Measurement.Uefi;

namespace Kist.Measurement;

/// <summary>Everything of which the launch measurement of a virtual machine is made.</summary>
public sealed record LaunchInputs
{
    /// <summary>The firmware image (OVMF or TDVF), whole.</summary>
    public required ReadOnlyMemory<byte> Firmware { get; init; }

    /// <summary>The kernel (bzImage) as it lies on disk, given to the monitor by -kernel; empty with <see cref="Boot"/>.</summary>
    public required ReadOnlyMemory<byte> Kernel { get; init; }

    /// <summary>A boot from a disk (shim, GRUB, unified kernel image) in place of a kernel given directly; null for none.</summary>
    public UefiBootInputs? Boot { get; init; }

    /// <summary>
    /// The Secure Boot variables; null to take those that are enrolled in the firmware image, or none if none are.
    /// </summary>
    public SecureBootVariables? SecureBoot { get; init; }

    /// <summary>
    /// The boot variables that firmware measures, in order, BootOrder first; empty for those of a machine without disks.
    /// </summary>
    public ImmutableArray<StoredVariable> BootVariables { get; init; } = [];

    /// <summary>
    /// What the attestation agent in the guest will extend into RTMR3, in order: "domain operation content"
    /// (<see cref="RuntimeEvent.AgentEvent"/>). Empty if that is not to be predicted.
    /// </summary>
    public ImmutableArray<string> AgentEvents { get; init; } = [];

    /// <summary>The initrd, or null if there is none.</summary>
    public ReadOnlyMemory<byte>? Initrd { get; init; }

    /// <summary>The command line as given to the monitor by -append, without what firmware adds; ASCII.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>The guest's memory in bytes.</summary>
    public required ulong MemoryBytes { get; init; }

    /// <summary>Number of virtual processors. It reaches the measurement through the ACPI tables only.</summary>
    public int VirtualCpus { get; init; } = 1;

    /// <summary>MRCONFIGID: 48 bytes, here the digest of the init-data; empty means zeros.</summary>
    public ReadOnlyMemory<byte> MrConfigId { get; init; }

    /// <summary>Digests of the ACPI blobs that the monitor gives to the firmware; null if they are not known, and then not covered.</summary>
    public AcpiDigests? Acpi { get; init; }

    /// <summary>True to start the domain with TDATTRIBUTES.DEBUG: it protects nothing.</summary>
    public bool Debug { get; init; }

    /// <summary>What monitor, firmware and kernel of this generation do.</summary>
    public TdxLaunchProfile Profile { get; init; } = TdxLaunchProfile.Default;
}
