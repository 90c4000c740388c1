using Kist.Measurement;
using Kist.Simulator;

namespace Kist.Pods.Tests;

/// <summary>The simulator as a pod's platform.</summary>
sealed class SimulatedPlatform : ITrustPlatform
{
    private readonly SimulatedTdxPlatform _platform = new(Vendor);

    public static SimulatedVendor Vendor { get; } = SimulatedVendor.FromSeed(new byte[32]);

    public ITrustDomain Launch(LaunchInputs inputs) => new Domain(_platform.Launch(inputs));

    private sealed class Domain(SimulatedTrustDomain domain) : ITrustDomain
    {
        public ReadOnlyMemory<byte> EventLog => domain.EventLog;

        public byte[] Quote(ReadOnlySpan<byte> reportData) => domain.Quote(reportData);

        public void ExtendRtmr(int index, ReadOnlySpan<byte> digest) => domain.ExtendRtmr(index, digest);
    }
}
