using System.Collections.Immutable;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Simulator.Tdx;

namespace Kist.Simulator;

/// <summary>A simulated trust domain: its measurement registers, event log and quotes. Safe for concurrent use.</summary>
public sealed class SimulatedTrustDomain
{
    /// <summary>Bytes of REPORTDATA.</summary>
    public const int ReportDataSize = 64;

    private readonly SimulatedTdxPlatform _platform;
    private readonly Lock _lock = new();
    private ImmutableArray<HashValue> _rtmrs;

    internal SimulatedTrustDomain(SimulatedTdxPlatform platform, TdxLaunchMeasurement measurement, bool debug)
    {
        _platform = platform;
        Measurement = measurement;
        IsDebug = debug;
        EventLog = measurement.WriteEventLog();
        _rtmrs = measurement.Rtmrs;
    }

    /// <summary>What the launch measured.</summary>
    public TdxLaunchMeasurement Measurement { get; }

    /// <summary>MRTD.</summary>
    public HashValue MrTd => Measurement.MrTd;

    /// <summary>RTMR0–3 as they are now.</summary>
    public ImmutableArray<HashValue> Rtmrs
    {
        get
        {
            lock (_lock)
                return _rtmrs;
        }
    }

    /// <summary>The firmware's event log (CCEL). What the guest extends later is not in it, as on hardware.</summary>
    public ReadOnlyMemory<byte> EventLog { get; }

    /// <summary>What a launch on hardware would measure and this simulation does not, or not certainly.</summary>
    public ImmutableArray<NotCovered> NotCovered => Measurement.NotCovered;

    /// <summary>True if the domain was started with TDATTRIBUTES.DEBUG.</summary>
    public bool IsDebug { get; }

    /// <summary>A quote of version 4, as the guest would get it from its platform.</summary>
    /// <param name="reportData">REPORTDATA, 64 bytes.</param>
    public byte[] Quote(ReadOnlySpan<byte> reportData)
    {
        if (reportData.Length != ReportDataSize)
            throw new ArgumentException($"REPORTDATA has {ReportDataSize} bytes, not {reportData.Length}", nameof(reportData));
        return _platform.Quote(TdReportWriter.Write(
            _platform.TeeTcbSvn, MrTd, Measurement.MrConfigId, IsDebug, Rtmrs, reportData));
    }

    /// <summary>Extends a register, as TDG.MR.RTMR.EXTEND does for the guest.</summary>
    /// <param name="index">0–3. Linux lets programs extend 2 and 3 only.</param>
    /// <param name="digest">48 bytes.</param>
    public void ExtendRtmr(int index, ReadOnlySpan<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, 3);
        if (digest.Length != TdxLaunchMeasurement.RegisterSize)
            throw new ArgumentException($"a register is extended by {TdxLaunchMeasurement.RegisterSize} bytes, not {digest.Length}", nameof(digest));
        lock (_lock)
            _rtmrs = _rtmrs.SetItem(index, _rtmrs[index].Extend(new HashValue(digest)));
    }
}
