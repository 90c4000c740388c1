namespace Kist.Measurement.Tdx;

/// <summary>What a monitor adds and measures of a firmware, and in which order; the firmware alone does not decide it.</summary>
public enum MrtdVariant
{
    /// <summary>Each page is added and then extended: QEMU 9 and later on the upstream KVM interface.</summary>
    SinglePass,

    /// <summary>All pages of a section are added, then all extended: QEMU 8 with Intel's and Canonical's patches.</summary>
    TwoPass,

    /// <summary>Google Compute Engine: as SinglePass, but temporary memory is not added before the domain starts.</summary>
    Gce,

    /// <summary>
    /// Google Compute Engine before it followed the metadata: the content of every section is measured, the hand-off blocks
    /// included, so that MRTD depends on the machine type's memory.
    /// </summary>
    GceMeasureAll,
}
