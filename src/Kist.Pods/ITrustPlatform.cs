using Kist.Measurement;

namespace Kist.Pods;

/// <summary>Where pods are launched and measured: the simulated TDX platform, in the place of a machine's TDX module.</summary>
public interface ITrustPlatform
{
    /// <summary>Measures a launch and gives the domain that results. Called before the first instruction runs.</summary>
    ITrustDomain Launch(LaunchInputs inputs);
}

/// <summary>One launched guest, as the platform sees it.</summary>
public interface ITrustDomain
{
    /// <summary>Signs a quote over 64 bytes of report data.</summary>
    byte[] Quote(ReadOnlySpan<byte> reportData);

    /// <summary>Extends RTMR2 or RTMR3 by a SHA-384 digest.</summary>
    void ExtendRtmr(int index, ReadOnlySpan<byte> digest);

    /// <summary>The firmware's event log, as the CCEL table holds it.</summary>
    ReadOnlyMemory<byte> EventLog { get; }
}
