namespace Kist.Measurement.Sev;

/// <summary>Which generation of the host's KVM prepares the VMSA of a QEMU guest.</summary>
public enum KernelGeneration
{
    /// <summary>KVM_SEV_INIT2 (about Linux 6.10) and later: MXCSR and the x87 control word have their reset values.</summary>
    Init2,

    /// <summary>Before it: both are zero.</summary>
    BeforeInit2,
}
