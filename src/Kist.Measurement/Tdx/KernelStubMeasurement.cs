namespace Kist.Measurement.Tdx;

/// <summary>Whether the kernel's EFI stub measures command line and initrd into RTMR2.</summary>
public enum KernelStubMeasurement
{
    /// <summary>By the release in the kernel's header: Linux 6.9 and later does.</summary>
    ByRelease,

    /// <summary>It does, whatever the header says (a backport, or a simulated platform that does it in the stub's place).</summary>
    Always,

    /// <summary>It does not.</summary>
    Never,
}
