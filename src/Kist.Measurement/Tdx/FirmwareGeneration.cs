namespace Kist.Measurement.Tdx;

/// <summary>Which events EDK II's TDVF measures into RTMR0.</summary>
public enum FirmwareGeneration
{
    /// <summary>Before stable202505: one boot option, "UiApp".</summary>
    Before202505,

    /// <summary>
    /// stable202505: fw_cfg's boot menu and boot order as well, an authority even without Secure Boot, two boot options. As
    /// published by Dstack; no log of such firmware was at hand to compare with.
    /// </summary>
    Stable202505,
}
