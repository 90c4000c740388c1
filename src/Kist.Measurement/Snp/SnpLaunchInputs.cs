using Kist.Measurement.Firmware;
using Kist.Measurement.Sev;

namespace Kist.Measurement.Snp;

/// <summary>Everything of which the launch digest of an SEV-SNP guest is made.</summary>
public sealed record SnpLaunchInputs
{
    /// <summary>The firmware image; null only with <see cref="Precomputed"/>.</summary>
    public OvmfImage? Firmware { get; init; }

    /// <summary>What is known of a firmware without its image, such as a published digest; null if the image is there.</summary>
    public SnpFirmwareDescription? Precomputed { get; init; }

    /// <summary>Hashes of kernel, initrd and command line; null if no kernel is started directly.</summary>
    public KernelHashes? Kernel { get; init; }

    /// <summary>Number of virtual processors.</summary>
    public int VirtualCpus { get; init; } = 1;

    /// <summary>CPUID signature of the processor model; see <see cref="Sev.CpuSignature"/>.</summary>
    public uint CpuSignature { get; init; }

    /// <summary>SEV_FEATURES: 0x1 as QEMU asks for, 0x21 with the DebugSwap that Linux 6.6 to 6.8 hosts add.</summary>
    public ulong Features { get; init; } = (ulong)SevFeatures.SnpActive;

    /// <summary>Whose monitor starts the guest.</summary>
    public VmmType Vmm { get; init; } = VmmType.Qemu;

    /// <summary>The host kernel's generation.</summary>
    public KernelGeneration Generation { get; init; } = KernelGeneration.Init2;

    /// <summary>A secure VM service module that runs at VMPL0, or null.</summary>
    public SvsmInputs? Svsm { get; init; }
}

/// <summary>A secure VM service module beside the firmware.</summary>
/// <param name="Image">The SVSM's image.</param>
/// <param name="VariablesSize">Bytes of the flash for variables, which lies between SVSM and firmware.</param>
public sealed record SvsmInputs(OvmfImage Image, uint VariablesSize);
