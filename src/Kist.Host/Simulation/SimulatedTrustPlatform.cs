using Kist.Measurement;
using Kist.Pods;
using Kist.Simulator;

namespace Kist.Host;

/// <summary>The simulated TDX platform in the place of a machine's own.</summary>
public sealed class SimulatedTrustPlatform(SimulatedVendor vendor) : ITrustPlatform
{
    private readonly SimulatedTdxPlatform _platform = new(vendor);

    /// <inheritdoc/>
    public ITrustDomain Launch(LaunchInputs inputs) => new Domain(_platform.Launch(inputs));

    private sealed class Domain(SimulatedTrustDomain domain) : ITrustDomain
    {
        public ReadOnlyMemory<byte> EventLog => domain.EventLog;

        public byte[] Quote(ReadOnlySpan<byte> reportData) => domain.Quote(reportData);

        public void ExtendRtmr(int index, ReadOnlySpan<byte> digest) => domain.ExtendRtmr(index, digest);
    }
}
