using System.Collections.Immutable;

namespace Kist.Measurement.Uefi;

/// <summary>An EFI application that firmware or a boot loader loads.</summary>
/// <param name="Name">For people: "shim", "grub", …</param>
/// <param name="Image">The file.</param>
public sealed record EfiApplication(string Name, ReadOnlyMemory<byte> Image);

/// <summary>A file that GRUB reads and measures.</summary>
/// <param name="Path">As GRUB names it.</param>
/// <param name="Content">Its content.</param>
public sealed record GrubFile(string Path, ReadOnlyMemory<byte> Content);

/// <summary>What a boot from a disk measures from the moment at which firmware starts the first application.</summary>
public sealed record UefiBootInputs
{
    /// <summary>The Secure Boot configuration (PCR 7).</summary>
    public SecureBootVariables SecureBoot { get; init; } = SecureBootVariables.None;

    /// <summary>
    /// UEFI_VARIABLE_DATA of each key or setting by which an image was let through, in order (PCR 7): certificates of db,
    /// SbatLevel, MokListTrusted.
    /// </summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Authorities { get; init; } = [];

    /// <summary>UEFI_GPT_DATA of the disk (PCR 5); empty if none is measured.</summary>
    public ReadOnlyMemory<byte> PartitionTable { get; init; }

    /// <summary>The applications that are loaded, in order (PCR 4): shim, GRUB, a kernel with an EFI stub.</summary>
    public ImmutableArray<EfiApplication> Applications { get; init; } = [];

    /// <summary>A unified kernel image that is loaded last (PCR 4, 11, 12); null if none is.</summary>
    public UnifiedKernelImage? UnifiedKernel { get; init; }

    /// <summary>True if the stub of the unified image has firmware load the kernel inside, which is then measured as well (PCR 4).</summary>
    public bool StubLoadsKernelImage { get; init; } = true;

    /// <summary>MokList, MokListX and MokListTrusted as shim measures them (PCR 14); empty if there is no shim.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> MokLists { get; init; } = [];

    /// <summary>The commands that GRUB runs, as it measures them (PCR 8).</summary>
    public ImmutableArray<string> GrubCommands { get; init; } = [];

    /// <summary>The command lines that GRUB gives to kernels and modules, as it measures them (PCR 8).</summary>
    public ImmutableArray<string> GrubKernelCommandLines { get; init; } = [];

    /// <summary>The files that GRUB reads (PCR 9).</summary>
    public ImmutableArray<GrubFile> GrubFiles { get; init; } = [];

    /// <summary>A command line given from outside to a unified image (PCR 12); null if none is.</summary>
    public string? ExternalCommandLine { get; init; }

    /// <summary>The load options that the kernel's EFI stub measures (PCR 9); null if it does not.</summary>
    public string? StubCommandLine { get; init; }

    /// <summary>The initrd that the kernel's EFI stub measures (PCR 9); null if it does not.</summary>
    public ReadOnlyMemory<byte>? StubInitrd { get; init; }

    /// <summary>Words that systemd-pcrphase measures (PCR 11): "enter-initrd", "leave-initrd", "sysinit", "ready".</summary>
    public ImmutableArray<string> Phases { get; init; } = [];

    /// <summary>What systemd measures of the machine (PCR 15): "machine-id:…", "file-system:…".</summary>
    public ImmutableArray<string> MachineWords { get; init; } = [];
}
