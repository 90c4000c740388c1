namespace Kist.Measurement.Tdx;

/// <summary>In which order a monitor measures the pages of a section; the firmware alone does not decide it.</summary>
public enum MrtdVariant
{
    /// <summary>Each page is added and then extended: QEMU 9 and later on the upstream KVM interface.</summary>
    SinglePass,

    /// <summary>All pages of a section are added, then all extended: QEMU 8 with Intel's and Canonical's patches.</summary>
    TwoPass,
}
