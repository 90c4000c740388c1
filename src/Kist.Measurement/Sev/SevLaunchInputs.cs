using Kist.Measurement.Firmware;

namespace Kist.Measurement.Sev;

/// <summary>Everything of which the launch digest of an SEV or SEV-ES guest is made.</summary>
public sealed record SevLaunchInputs
{
    /// <summary>The firmware image.</summary>
    public required OvmfImage Firmware { get; init; }

    /// <summary>Hashes of kernel, initrd and command line; null if no kernel is started directly.</summary>
    public KernelHashes? Kernel { get; init; }

    /// <summary>Number of virtual processors whose save areas are measured (SEV-ES); 0 for SEV.</summary>
    public int EncryptedStateCpus { get; init; }

    /// <summary>CPUID signature of the processor model; for SEV-ES.</summary>
    public uint CpuSignature { get; init; }

    /// <summary>Whose monitor starts the guest; for SEV-ES.</summary>
    public VmmType Vmm { get; init; } = VmmType.Qemu;

    /// <summary>The host kernel's generation; for SEV-ES.</summary>
    public KernelGeneration Generation { get; init; } = KernelGeneration.Init2;
}
