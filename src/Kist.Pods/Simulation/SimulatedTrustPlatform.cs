using Kist.Measurement;
using Kist.Simulator;

namespace Kist.Pods.Simulation;

/// <summary>Launches pods on a simulated TDX platform: genuine-format evidence that protects nothing, and says so by its vendor root.</summary>
public sealed class SimulatedTrustPlatform(SimulatedTdxPlatform platform) : ITrustPlatform
{
    /// <inheritdoc/>
    public ITrustDomain Launch(LaunchInputs inputs) => new Domain(platform.Launch(inputs));

    private sealed class Domain(SimulatedTrustDomain domain) : ITrustDomain
    {
        public ReadOnlyMemory<byte> EventLog => domain.EventLog;

        public byte[] Quote(ReadOnlySpan<byte> reportData) => domain.Quote(reportData);

        public void ExtendRtmr(int index, ReadOnlySpan<byte> digest) => domain.ExtendRtmr(index, digest);
    }
}
