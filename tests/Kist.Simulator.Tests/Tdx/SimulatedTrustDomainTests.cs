using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Testing;

namespace Kist.Simulator.Tests.Tdx;

public sealed class SimulatedTrustDomainTests
{
    private static readonly SimulatedVendor Vendor = SimulatedVendor.FromSeed(new byte[32]);

    private static LaunchInputs Inputs() => new()
    {
        Firmware = SyntheticOvmf.WithTdx().Build(),
        Kernel = new SyntheticKernel().Build(),
        Initrd = "initrd"u8.ToArray(),
        CommandLine = "quiet",
        MemoryBytes = 512 << 20,
        MrConfigId = Enumerable.Repeat((byte)0xc1, 48).ToArray(),
        Profile = TdxLaunchProfile.Simulated,
    };

    [Fact]
    public void Launch_MeasuresWhatThePredictorPredicts()
    {
        var domain = new SimulatedTdxPlatform(Vendor).Launch(Inputs());
        var predicted = LaunchPredictor.Predict(Inputs());
        Assert.Equal(predicted.MrTd, domain.MrTd);
        Assert.Equal(predicted.Rtmrs, domain.Rtmrs);
        Assert.Equal(predicted.WriteEventLog(), domain.EventLog.ToArray());
        Assert.Equal("rtmr0", Assert.Single(domain.NotCovered).Register);
    }

    [Fact]
    public void Quote_HasTheRegistersAndTheReportData()
    {
        var domain = new SimulatedTdxPlatform(Vendor).Launch(Inputs());
        var reportData = RandomNumberGenerator.GetBytes(64);
        var quote = domain.Quote(reportData);

        Assert.Equal("040002008100000000000000939a7233f79c4ca9940a0db3957f0607", Convert.ToHexStringLower(quote.AsSpan(0, 28)));
        var body = quote.AsSpan(48, 584);
        Assert.Equal(domain.MrTd, new HashValue(body.Slice(136, 48)));
        Assert.Equal(Enumerable.Repeat((byte)0xc1, 48), body.Slice(184, 48).ToArray());
        for (var i = 0; i < 4; i++)
            Assert.Equal(domain.Rtmrs[i], new HashValue(body.Slice(328 + 48 * i, 48)));
        Assert.Equal(reportData, body.Slice(520, 64).ToArray());
        Assert.Equal(0, body[120]);
        Assert.Equal(quote.Length, 636 + BinaryPrimitives.ReadInt32LittleEndian(quote.AsSpan(632)));
    }

    [Fact]
    public void Quote_SignaturesAndBinding_Hold()
    {
        var quote = new SimulatedTdxPlatform(Vendor).Launch(Inputs()).Quote(new byte[64]);
        var point = quote.AsSpan(700, 64).ToArray();
        using var attestation = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = point[..32], Y = point[32..] } });
        Assert.True(attestation.VerifyData(quote.AsSpan(0, 632), quote.AsSpan(636, 64), HashAlgorithmName.SHA256));

        var report = quote.AsSpan(770, 384).ToArray();
        var authentication = quote.AsSpan(770 + 384 + 64 + 2, 32).ToArray();
        Assert.Equal(SHA256.HashData([.. point, .. authentication]), report.AsSpan(320, 32).ToArray());
        var chain = System.Text.Encoding.ASCII.GetString(quote.AsSpan(770 + 384 + 64 + 2 + 32 + 6));
        using var leaf = X509Certificate2.CreateFromPem(chain);
        using var pck = leaf.GetECDsaPublicKey()!;
        Assert.True(pck.VerifyData(report, quote.AsSpan(770 + 384, 64), HashAlgorithmName.SHA256));
    }

    [Fact]
    public void ExtendRtmr_IsShaOfRegisterAndDigest_AndTheNextQuoteShowsIt()
    {
        var domain = new SimulatedTdxPlatform(Vendor).Launch(Inputs());
        var digest = RandomNumberGenerator.GetBytes(48);
        domain.ExtendRtmr(3, digest);
        var expected = SHA384.HashData([.. new byte[48], .. digest]);
        Assert.Equal(expected, domain.Rtmrs[3].Span.ToArray());
        Assert.Equal(expected, domain.Quote(new byte[64]).AsSpan(48 + 328 + 144, 48).ToArray());
    }

    [Fact]
    public void Launch_Debug_IsSeenInTheQuote() =>
        Assert.Equal(1, new SimulatedTdxPlatform(Vendor).Launch(Inputs() with { Debug = true }).Quote(new byte[64])[48 + 120]);

    [Fact]
    public void Calls_WithWrongSizes_AreRefused()
    {
        var domain = new SimulatedTdxPlatform(Vendor).Launch(Inputs());
        Assert.Throws<ArgumentException>(() => domain.Quote(new byte[63]));
        Assert.Throws<ArgumentException>(() => domain.ExtendRtmr(3, new byte[47]));
        Assert.Throws<ArgumentOutOfRangeException>(() => domain.ExtendRtmr(4, new byte[48]));
    }
}
