namespace Kist.Attestation.Dcap;

/// <summary>
/// State of a platform's trusted computing base in Intel's words (PCS API, TCB info "tcbStatus"; the last two come from
/// the comparison itself). Names are the wire names.
/// </summary>
internal enum TcbStatus
{
    /// <summary>A word that is not known. Never accepted.</summary>
    Unrecognized,
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked,
    TDRelaunchAdvised,
    TDRelaunchAdvisedConfigurationNeeded,

    /// <summary>The platform matches no published TCB level.</summary>
    NotSupported,
}

internal static class TcbStatuses
{
    /// <summary>Reads the status of a TCB level.</summary>
    public static TcbStatus Parse(string text) => text switch
    {
        "UpToDate" => TcbStatus.UpToDate,
        "SWHardeningNeeded" => TcbStatus.SWHardeningNeeded,
        "ConfigurationNeeded" => TcbStatus.ConfigurationNeeded,
        "ConfigurationAndSWHardeningNeeded" => TcbStatus.ConfigurationAndSWHardeningNeeded,
        "OutOfDate" => TcbStatus.OutOfDate,
        "OutOfDateConfigurationNeeded" => TcbStatus.OutOfDateConfigurationNeeded,
        "Revoked" => TcbStatus.Revoked,
        _ => TcbStatus.Unrecognized,
    };

    /// <summary>True if the platform's owner has to change its configuration.</summary>
    public static bool NeedsConfiguration(TcbStatus status) => status is
        TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSWHardeningNeeded
        or TcbStatus.OutOfDateConfigurationNeeded or TcbStatus.TDRelaunchAdvisedConfigurationNeeded;

    public static bool IsOutOfDate(TcbStatus status) =>
        status is TcbStatus.OutOfDate or TcbStatus.OutOfDateConfigurationNeeded;

    /// <summary>
    /// The platform's status once a part of it (the quoting enclave, or the TDX module) is taken into account. An outdated
    /// part outdates the whole; a revoked or unknown part decides alone.
    /// </summary>
    public static TcbStatus Combine(TcbStatus platform, TcbStatus part) => part switch
    {
        TcbStatus.UpToDate => platform,
        TcbStatus.Revoked => TcbStatus.Revoked,
        TcbStatus.NotSupported => TcbStatus.NotSupported,
        TcbStatus.Unrecognized => TcbStatus.Unrecognized,
        _ => platform switch
        {
            TcbStatus.UpToDate or TcbStatus.SWHardeningNeeded => TcbStatus.OutOfDate,
            TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSWHardeningNeeded => TcbStatus.OutOfDateConfigurationNeeded,
            _ => platform,
        },
    };
}
