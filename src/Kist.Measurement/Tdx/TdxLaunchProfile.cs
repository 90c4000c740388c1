using System.Collections.Immutable;
using Kist.Measurement.Qemu;

namespace Kist.Measurement.Tdx;

/// <summary>
/// What monitor, firmware and kernel of one generation measure, where generations differ. The inputs do not tell it, so
/// it is named, and a caller can try all of them.
/// </summary>
public sealed record TdxLaunchProfile
{
    /// <summary>QEMU 9 and later on upstream KVM, EDK II before stable202505, Linux 6.9 and later.</summary>
    public static TdxLaunchProfile Default { get; } = new()
    {
        Name = "qemu",
        Description = "QEMU 9 or later on upstream KVM, EDK II before stable202505",
    };

    /// <summary>QEMU 8 with Intel's or Canonical's TDX patches.</summary>
    public static TdxLaunchProfile Qemu8 { get; } = Default with
    {
        Name = "qemu8",
        Description = "QEMU 8 with Intel's or Canonical's patches: pages are added and then extended section by section",
        Mrtd = MrtdVariant.TwoPass,
    };

    /// <summary>EDK II builds that extend the separator of ReadyToBoot into RTMR0 in place of RTMR1.</summary>
    public static TdxLaunchProfile SeparatorInRtmr0 { get; } = Default with
    {
        Name = "qemu-separator-rtmr0",
        Description = "as qemu, with firmware that extends the separator of ReadyToBoot into RTMR0 instead of RTMR1",
        ReadyToBootSeparatorRegister = 0,
    };

    /// <summary>Firmware as Kata and Contrast build it: no hand-off block event, separator of ReadyToBoot in RTMR0.</summary>
    public static TdxLaunchProfile Kata { get; } = SeparatorInRtmr0 with
    {
        Name = "kata",
        Description = "firmware of Kata Containers and Contrast: the hand-off blocks are not measured, separator of ReadyToBoot in RTMR0",
        HandOffBlocksMeasured = false,
    };

    /// <summary>Firmware and QEMU of 2025, which hand over the kernel unchanged (etc/boot/kernel).</summary>
    public static TdxLaunchProfile UnmodifiedKernel { get; } = Default with
    {
        Name = "qemu10-kernel",
        Description = "as qemu, with firmware and QEMU that hand over the kernel without changes to its setup header",
        KernelForm = KernelImageForm.Unmodified,
    };

    /// <summary>EDK II stable202505.</summary>
    public static TdxLaunchProfile Stable202505 { get; } = Default with
    {
        Name = "edk2-202505",
        Description = "as qemu, with EDK II stable202505: fw_cfg's boot menu and order, an authority and two boot options in RTMR0",
        Firmware = FirmwareGeneration.Stable202505,
    };

    /// <summary>Google Compute Engine, for an image without lazy acceptance of memory.</summary>
    public static TdxLaunchProfile Gce { get; } = Default with
    {
        Name = "gce",
        Description = "Google Compute Engine: all sections measured, memory above 4 GiB accepted early",
        Mrtd = MrtdVariant.GceMeasureAll,
        MemoryMap = MemoryMap.GceEarlyAccept,
    };

    /// <summary>Google Compute Engine, for an image with lazy acceptance of memory, while all sections were measured.</summary>
    public static TdxLaunchProfile GceLazyAccept { get; } = Gce with
    {
        Name = "gce-lazy",
        Description = "as gce, for images that accept memory above 4 GiB themselves",
        MemoryMap = MemoryMap.GceLazyAccept,
    };

    /// <summary>Google Compute Engine since it follows the metadata.</summary>
    public static TdxLaunchProfile GceByMetadata { get; } = GceLazyAccept with
    {
        Name = "gce-metadata",
        Description = "as gce-lazy, with only those sections measured that the metadata marks",
        Mrtd = MrtdVariant.Gce,
    };

    /// <summary>
    /// What the simulated platform measures by: the default, and the stub's measurements for every kernel, because the
    /// simulation makes them in the stub's place.
    /// </summary>
    public static TdxLaunchProfile Simulated { get; } = Default with
    {
        Name = "simulated",
        Description = "as qemu; command line and initrd are measured for every kernel",
        Stub = KernelStubMeasurement.Always,
    };

    /// <summary>All named profiles that hardware is known to show; the candidates where the generation is not known.</summary>
    public static ImmutableArray<TdxLaunchProfile> All { get; } = [Default, Qemu8, SeparatorInRtmr0, Kata, UnmodifiedKernel, Stable202505, Gce, GceLazyAccept, GceByMetadata];

    /// <summary>Short name for command lines and manifests.</summary>
    public required string Name { get; init; }

    /// <summary>What it stands for.</summary>
    public required string Description { get; init; }

    /// <summary>In which order the monitor measures the firmware's pages.</summary>
    public MrtdVariant Mrtd { get; init; } = MrtdVariant.SinglePass;

    /// <summary>The machine type.</summary>
    public QemuMachine Machine { get; init; } = QemuMachine.Q35;

    /// <summary>Whose hand-off block list tells the firmware its memory.</summary>
    public MemoryMap MemoryMap { get; init; } = MemoryMap.Qemu;

    /// <summary>Which events the firmware measures into RTMR0.</summary>
    public FirmwareGeneration Firmware { get; init; } = FirmwareGeneration.Before202505;

    /// <summary>True if the firmware measures the hand-off block list into RTMR0.</summary>
    public bool HandOffBlocksMeasured { get; init; } = true;

    /// <summary>Number of the RTMR that takes the separator of ReadyToBoot.</summary>
    public int ReadyToBootSeparatorRegister { get; init; } = 1;

    /// <summary>Which bytes of the kernel are measured.</summary>
    public KernelImageForm KernelForm { get; init; } = KernelImageForm.QemuPatched;

    /// <summary>Whether the kernel's stub measures command line and initrd.</summary>
    public KernelStubMeasurement Stub { get; init; } = KernelStubMeasurement.ByRelease;

    /// <summary>The profile of this name, or null.</summary>
    public static TdxLaunchProfile? Find(string name) =>
        All.Append(Simulated).FirstOrDefault(p => p.Name == name);
}
