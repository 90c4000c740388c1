using Kist.Attestation;
using Kist.Measurement.Nitro;
using Kist.Testing;

namespace Kist.Simulator.Tests.Nitro;

public sealed class SimulatedNitroTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 6, 0, 0, TimeSpan.Zero);
    private static readonly SimulatedNitroPlatform Platform = new(new byte[32]);
    private static readonly NitroMeasurement Enclave = NitroMeasurement.Of(EifImage.Parse(SyntheticEif.Build((1, [1]), (2, [2]), (3, [3]))));

    [Theory]
    [InlineData(true, false, true)]
    [InlineData(false, false, false)]
    [InlineData(true, true, false)]
    public void Document_IsAcceptedOnlyWhereSimulationsAreAllowedAndNotInDebug(bool allowSimulated, bool debug, bool accepted)
    {
        var verdict = Judge(Now.AddMinutes(1), allowSimulated, debug);
        Assert.True(verdict.IsAccepted == accepted, string.Join("\n", verdict.Findings.Select(f => $"{f.Outcome} {f.Id}: {f.Why} {f.Expected} {f.Actual}")));
        Assert.True(verdict.IsSimulated);
        Assert.Equal(debug, verdict.IsDebug);
    }

    [Fact]
    public void Document_AfterThreeHours_IsRefused() => Assert.False(Judge(Now.AddHours(4), true, false).IsAccepted);

    private static Verdict Judge(DateTimeOffset time, bool allowSimulated, bool debug)
    {
        var evidence = new Kist.Attestation.Evidence { Tee = "nitro", Bytes = Platform.Attest(Enclave, Now, "data"u8, debug) };
        return EvidenceVerifier.Verify(evidence, new("data"u8.ToArray(), null), new VerificationOptions
        {
            Time = time,
            Anchors = new TrustAnchorSet([Platform.Anchor]),
            AllowSimulated = allowSimulated,
        });
    }
}
