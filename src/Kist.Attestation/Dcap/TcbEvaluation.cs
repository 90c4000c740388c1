using Kist.Attestation.Tdx;

namespace Kist.Attestation.Dcap;

/// <summary>
/// Compares a platform with Intel's TCB info and identities (Intel SGX/TDX DCAP Quote Verification Library, §4.1.2.4.17;
/// PCS API documentation, "Determining TCB status").
/// </summary>
internal sealed record TcbEvaluation
{
    /// <summary>The whole platform's status: level, TDX module and quoting enclave together.</summary>
    public required TcbStatus Status { get; init; }

    /// <summary>The first level that the platform reaches; null if it reaches none.</summary>
    public required TcbLevel? Level { get; init; }

    /// <summary>How many levels of a later date are published.</summary>
    public required int LevelsBehind { get; init; }

    /// <summary>The TDX module's level; null for SGX, for the first-generation module, or if it reaches none.</summary>
    public IdentityLevel? ModuleLevel { get; init; }

    /// <summary>Why the TDX module is not one that Intel names; null if it is.</summary>
    public string? ModuleMismatch { get; init; }

    /// <summary>The quoting enclave's level; null if it reaches none.</summary>
    public required IdentityLevel? QeLevel { get; init; }

    /// <summary>All advisories that apply, each once, in order.</summary>
    public IReadOnlyList<string> Advisories =>
        [.. (Level?.Advisories ?? []).Concat(ModuleLevel?.Advisories ?? []).Concat(QeLevel?.Advisories ?? [])
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>The earliest date among the levels that apply.</summary>
    public DateTimeOffset? Date =>
        new[] { Level?.Date, ModuleLevel?.Date, QeLevel?.Date }.Where(d => d is not null).Min();

    public static TcbEvaluation Evaluate(TcbInfo info, EnclaveIdentity? qeIdentity, PckCertificate pck, DcapQuote quote, TdReport? td)
    {
        var sgxLevel = info.Levels.FirstOrDefault(l => ReachesSgx(l, pck));
        var level = td is null ? sgxLevel : info.Levels.FirstOrDefault(l => ReachesSgx(l, pck) && ReachesTdx(l, td.TeeTcbSvn.Span));
        var qeLevel = qeIdentity is null ? null : IdentityLevels.Match(qeIdentity.Levels, quote.QeReport.IsvSvn);
        var qeStatus = qeIdentity is null ? TcbStatus.UpToDate : qeLevel?.Status ?? TcbStatus.NotSupported;
        var status = level?.Status ?? TcbStatus.NotSupported;
        IdentityLevel? moduleLevel = null;
        string? mismatch = null;
        if (td is not null)
        {
            (moduleLevel, var moduleStatus, mismatch) = EvaluateModule(info, td);
            if (level is not null)
            {
                status = TcbStatuses.Combine(status, moduleStatus);
                if (AdvisesRelaunch(info, td, sgxLevel!.Status, status, moduleStatus, qeStatus))
                {
                    status = TcbStatuses.NeedsConfiguration(sgxLevel.Status) || TcbStatuses.NeedsConfiguration(status)
                        ? TcbStatus.TDRelaunchAdvisedConfigurationNeeded
                        : TcbStatus.TDRelaunchAdvised;
                }
            }
        }

        return new TcbEvaluation
        {
            Status = status == TcbStatus.Revoked ? status : TcbStatuses.Combine(status, qeStatus),
            Level = level,
            LevelsBehind = level is null
                ? info.Levels.Count
                : info.Levels.Where(l => l.Date > level.Date).Select(l => l.Date).Distinct().Count(),
            ModuleLevel = moduleLevel,
            ModuleMismatch = mismatch,
            QeLevel = qeLevel,
        };
    }

    public static bool ReachesSgx(TcbLevel level, PckCertificate pck)
    {
        for (var i = 0; i < 16; i++)
        {
            if (pck.Components[i] < level.SgxComponents[i])
                return false;
        }

        return pck.PceSvn >= level.PceSvn;
    }

    /// <summary>
    /// A module with a major version (the second byte) is judged by its own identity, so that the first two components,
    /// which describe the module, are passed over.
    /// </summary>
    private static bool ReachesTdx(TcbLevel level, ReadOnlySpan<byte> teeTcbSvn)
    {
        for (var i = teeTcbSvn[1] > 0 ? 2 : 0; i < 16; i++)
        {
            if (teeTcbSvn[i] < level.TdxComponents[i])
                return false;
        }

        return true;
    }

    private static (IdentityLevel? Level, TcbStatus Status, string? Mismatch) EvaluateModule(TcbInfo info, TdReport td)
    {
        var identity = FindModule(info, td.TeeTcbSvn.Span[1]);
        if (identity is null)
            return (null, TcbStatus.NotSupported, $"Intel names no TDX module of major version {td.TeeTcbSvn.Span[1]} for this platform");
        if (!td.MrSignerSeam.Span.SequenceEqual(identity.MrSigner))
            return (null, TcbStatus.NotSupported, $"MRSIGNERSEAM is {Convert.ToHexStringLower(td.MrSignerSeam.Span)}");
        if (!BitMask.Matches(td.SeamAttributes.Span, identity.AttributesMask, identity.Attributes) || td.SeamAttributes.Span.ContainsAnyExcept((byte)0))
            return (null, TcbStatus.NotSupported, $"SEAMATTRIBUTES is {Convert.ToHexStringLower(td.SeamAttributes.Span)}");
        if (identity.Levels.Count == 0)
            return (null, TcbStatus.UpToDate, null);
        var level = IdentityLevels.Match(identity.Levels, td.TeeTcbSvn.Span[0]);
        return (level, level?.Status ?? TcbStatus.NotSupported, null);
    }

    /// <summary>The identity of a major version: the base module for 0, "TDX_03" and so on for others; null if there is none.</summary>
    private static TdxModuleIdentity? FindModule(TcbInfo info, byte majorVersion) => majorVersion == 0
        ? info.TdxModule
        : info.TdxModuleIdentities.FirstOrDefault(
            m => string.Equals(m.Id, $"TDX_{majorVersion:X2}", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// True if only the module with which the guest was started is outdated, and the one that runs now (TEE_TCB_SVN2, in the
    /// 1.5 body) is the newest: starting the guest again suffices. The conditions are the library's own, literally.
    /// </summary>
    private static bool AdvisesRelaunch(
        TcbInfo info, TdReport td, TcbStatus sgx, TcbStatus tdx, TcbStatus module, TcbStatus qe)
    {
        if (!td.IsVersion15 || qe is not TcbStatus.UpToDate || module != TcbStatus.OutOfDate || !TcbStatuses.IsOutOfDate(tdx)
            || sgx is not (TcbStatus.UpToDate or TcbStatus.SWHardeningNeeded or TcbStatus.ConfigurationNeeded
                or TcbStatus.ConfigurationAndSWHardeningNeeded))
        {
            return false;
        }

        var latest = info.Levels[0].TdxComponents;
        var now = td.TeeTcbSvn2.Span;
        if (now[1] == 0)
            return now[0] >= latest[0] && now[2] >= latest[2];
        return FindModule(info, now[1]) is { Levels: [var newest, ..] } && now[0] >= newest.IsvSvn && now[2] >= latest[2];
    }
}
