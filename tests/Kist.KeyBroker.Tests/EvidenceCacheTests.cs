using Kist.Attestation;
using Kist.Simulator;

namespace Kist.KeyBroker.Tests;

/// <summary>
/// What the verifier remembers between quotes of one machine (certificates, keys, which key signed what) never decides: what
/// changed outside of the evidence is seen with the very next quote.
/// </summary>
public sealed class EvidenceCacheTests
{
    private static readonly SimulatedVendor Vendor = SimulatedVendor.FromSeed(new byte[32]);

    private static readonly VerificationOptions Good = new()
    {
        Time = TestBroker.Start,
        Anchors = VendorAnchors.All.With(Vendor.IntelAnchor),
        Collateral = SimulatedCollateral.Issue(Vendor, TestBroker.Start.AddDays(-1)),
        AllowSimulated = true,
    };

    public static TheoryData<string> Changes => ["pck revoked", "authority revoked", "signer revoked", "collateral expired", "certificates expired", "no anchor", "another anchor", "no collateral", "simulation not allowed"];

    [Theory]
    [MemberData(nameof(Changes))]
    public void Verify_ChangedSinceTheLastQuote_IsSeenAtOnce(string change)
    {
        var quote = new SimulatedTdxPlatform(Vendor).Launch(SimulatedTdxTests.Launch).Quote(new byte[SimulatedTrustDomain.ReportDataSize]);
        Assert.True(IsAccepted(quote, Good));
        Assert.False(IsAccepted(quote, Changed(change)));
        Assert.True(IsAccepted(quote, Good));
    }

    [Fact]
    public void Verify_QuoteChangedAfterItsMachineWasSeen_IsRefused()
    {
        var quote = new SimulatedTdxPlatform(Vendor).Launch(SimulatedTdxTests.Launch).Quote(new byte[SimulatedTrustDomain.ReportDataSize]);
        Assert.True(IsAccepted(quote, Good));
        foreach (var offset in new[] { 100, 400, 632, 640, 700, 760, 1000, 1200 })
        {
            var changed = quote.ToArray();
            changed[offset] ^= 1;
            Assert.False(IsAccepted(changed, Good), $"byte {offset} changed");
        }
    }

    private static VerificationOptions Changed(string change) => change switch
    {
        "pck revoked" => With(new SimulatedCollateralOptions { RevokedPck = true }),
        "authority revoked" => With(new SimulatedCollateralOptions { RevokedPckCa = true }),
        "signer revoked" => With(new SimulatedCollateralOptions { RevokedTcbSigning = true }),
        "collateral expired" => Good with { Time = TestBroker.Start.AddDays(40) },
        "certificates expired" => Good with { Time = TestBroker.Start.AddYears(200) },
        "no anchor" => Good with { Anchors = VendorAnchors.All },
        "another anchor" => Good with { Anchors = VendorAnchors.All.With(SimulatedVendor.FromSeed(Enumerable.Repeat((byte)1, 32).ToArray()).IntelAnchor) },
        "no collateral" => Good with { Collateral = NoCollateral.Instance },
        "simulation not allowed" => Good with { AllowSimulated = false },
        _ => throw new ArgumentOutOfRangeException(nameof(change)),
    };

    private static VerificationOptions With(SimulatedCollateralOptions options) =>
        Good with { Collateral = SimulatedCollateral.Issue(Vendor, TestBroker.Start.AddDays(-1), options) };

    private static bool IsAccepted(byte[] quote, VerificationOptions options)
    {
        try
        {
            return EvidenceVerifier.Verify(new Evidence { Tee = "tdx", Bytes = quote }, ExpectedBinding.None, options).IsAccepted;
        }
        catch (Formats.MalformedDataException)
        {
            return false;
        }
    }
}
