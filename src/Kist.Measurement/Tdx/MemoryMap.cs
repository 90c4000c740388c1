namespace Kist.Measurement.Tdx;

/// <summary>Whose hand-off block list tells the firmware its memory.</summary>
public enum MemoryMap
{
    /// <summary>QEMU's.</summary>
    Qemu,

    /// <summary>Google Compute Engine's, for images that accept memory above 4 GiB themselves.</summary>
    GceLazyAccept,

    /// <summary>Google Compute Engine's, for images that do not.</summary>
    GceEarlyAccept,
}
