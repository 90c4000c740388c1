namespace Kist.Simulator;

/// <summary>The TCB status that a simulated platform is to be judged at.</summary>
public enum SimulatedTcbStatus
{
    /// <summary>All components are at the newest level.</summary>
    UpToDate,

    /// <summary>At the newest level, which asks for hardening in software.</summary>
    SWHardeningNeeded,

    /// <summary>At the newest level, which asks for a change of configuration.</summary>
    ConfigurationNeeded,

    /// <summary>At an older level.</summary>
    OutOfDate,

    /// <summary>At a level that the vendor has revoked.</summary>
    Revoked,

    /// <summary>Below every level that the vendor knows.</summary>
    Unknown,
}
