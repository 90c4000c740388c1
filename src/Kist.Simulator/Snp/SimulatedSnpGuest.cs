using System.Security.Cryptography;
using Kist.Measurement;
using Kist.Measurement.Snp;

namespace Kist.Simulator;

/// <summary>A simulated SEV-SNP guest: its measurement and its reports.</summary>
public sealed class SimulatedSnpGuest
{
    private readonly SimulatedSnpPlatform _platform;
    private readonly ulong _policy;
    private readonly byte[] _hostData;
    private readonly byte[] _reportId = RandomNumberGenerator.GetBytes(32);

    internal SimulatedSnpGuest(SimulatedSnpPlatform platform, SnpLaunchMeasurement measurement, ulong policy, byte[] hostData)
    {
        _platform = platform;
        Measurement = measurement;
        _policy = policy;
        _hostData = hostData;
    }

    /// <summary>What the launch measured.</summary>
    public SnpLaunchMeasurement Measurement { get; }

    /// <summary>MEASUREMENT.</summary>
    public HashValue LaunchDigest => Measurement.LaunchDigest;

    /// <summary>VCEK, ASK and ARK, PEM, leaf first, as the host gives them beside a report.</summary>
    public string CertificateChain => _platform.CertificateChain;

    /// <summary>A report of version 3, 1184 bytes.</summary>
    /// <param name="reportData">REPORT_DATA, 64 bytes.</param>
    public byte[] Report(ReadOnlySpan<byte> reportData)
    {
        if (reportData.Length != 64)
            throw new ArgumentException($"REPORT_DATA has 64 bytes, not {reportData.Length}", nameof(reportData));
        return _platform.Sign(new SnpReportFields(LaunchDigest, _policy, _hostData, reportData.ToArray(), _reportId));
    }
}
