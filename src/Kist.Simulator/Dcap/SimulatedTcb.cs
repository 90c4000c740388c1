namespace Kist.Simulator.Dcap;

/// <summary>The security version numbers of the simulated TCB levels, newest first.</summary>
static class SimulatedTcb
{
    public const ushort CurrentPceSvn = 13;

    /// <summary>SVN of the TDX module of the newest level; its major version is 1.</summary>
    public const byte CurrentModuleSvn = 5;

    public static byte[] CurrentSgx => [7, 7, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0];

    public static byte[] OldSgx => [5, 5, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0];

    public static byte[] RevokedSgx => [2, 2, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0];

    public static byte[] UnknownSgx => [1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Components of a platform that is to be judged at <paramref name="status"/>.</summary>
    public static byte[] SgxComponents(SimulatedTcbStatus status) => status switch
    {
        SimulatedTcbStatus.OutOfDate => OldSgx,
        SimulatedTcbStatus.Revoked => RevokedSgx,
        SimulatedTcbStatus.Unknown => UnknownSgx,
        _ => CurrentSgx,
    };

    public static ushort PceSvn(SimulatedTcbStatus status) => status switch
    {
        SimulatedTcbStatus.OutOfDate => 11,
        SimulatedTcbStatus.Revoked => 6,
        SimulatedTcbStatus.Unknown => 1,
        _ => CurrentPceSvn,
    };

    /// <summary>TEE_TCB_SVN: SVN and major version of the TDX module, SVN of the late microcode.</summary>
    public static byte[] TdxComponents(SimulatedTcbStatus status, byte moduleSvn = CurrentModuleSvn)
    {
        var components = new byte[16];
        components[0] = moduleSvn;
        components[1] = 1;
        components[2] = SgxComponents(status)[1];
        return components;
    }

    /// <summary>What the newest level is called when the platform is to be judged at <paramref name="status"/>.</summary>
    public static string NewestLevelStatus(SimulatedTcbStatus status) =>
        status is SimulatedTcbStatus.SWHardeningNeeded or SimulatedTcbStatus.ConfigurationNeeded ? status.ToString() : "UpToDate";
}
