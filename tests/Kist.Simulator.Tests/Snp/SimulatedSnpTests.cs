using Kist.Attestation;
using Kist.Measurement.Firmware;
using Kist.Measurement.Sev;
using Kist.Measurement.Snp;
using Kist.Testing;

namespace Kist.Simulator.Tests.Snp;

/// <summary>Simulated SEV-SNP before the verifier that judges hardware.</summary>
public sealed class SimulatedSnpTests(SimulatedSnpTests.VendorFixture fixture) : IClassFixture<SimulatedSnpTests.VendorFixture>
{
    private static readonly byte[] ReportData = [.. Enumerable.Range(1, 48).Select(i => (byte)i)];

    private static readonly SnpLaunchInputs Inputs = new()
    {
        Firmware = OvmfImage.Parse(SyntheticOvmf.WithTdx().Build()),
        Kernel = KernelHashes.Of([1], [2], "quiet"),
        CpuSignature = CpuSignature.Find("EPYC-Genoa")!.Value,
    };

    [Fact]
    public void Report_Faultless_IsAcceptedWhereSimulationsAreAllowed()
    {
        var verdict = Judge();
        Assert.True(verdict.IsAccepted, Describe(verdict));
        Assert.True(verdict.IsSimulated);
        Assert.False(Judge(allowSimulated: false).IsAccepted);
    }

    [Fact]
    public void Report_UnderTheVendorsOwnRoots_IsRefused() => Assert.False(Judge(anchors: VendorAnchors.All).IsAccepted);

    [Theory]
    [InlineData("bad signature")]
    [InlineData("other chip")]
    [InlineData("other tcb")]
    [InlineData("debug")]
    [InlineData("wrong report data")]
    public void Report_WithAFault_IsRefused(string fault)
    {
        var options = new SimulatedSnpOptions { BadSignature = fault == "bad signature", OtherChip = fault == "other chip", OtherTcb = fault == "other tcb" };
        var verdict = Judge(
            options, fault == "debug" ? SnpIdBlock.DefaultPolicy | 1 << 19 : SnpIdBlock.DefaultPolicy,
            binding: new(fault == "wrong report data" ? new byte[48] : ReportData, null));
        Assert.False(verdict.IsAccepted, Describe(verdict));
    }

    [Fact]
    public void Report_HasThePredictedMeasurement()
    {
        var guest = new SimulatedSnpPlatform(fixture.Vendor).Launch(Inputs, hostData: Enumerable.Repeat((byte)7, 32).ToArray());
        var report = guest.Report(new byte[64]);
        Assert.Equal(SnpLaunchMeasurement.Of(Inputs).LaunchDigest.Span.ToArray(), report.AsSpan(0x90, 48).ToArray());
        Assert.Equal(7, report[0xc0]);
    }

    [Fact]
    public void Certificates_SatisfyOpenSsl()
    {
        using var openssl = new OpenSsl();
        var chain = openssl.Write("chain.pem", new SimulatedSnpPlatform(fixture.Vendor).CertificateChain);
        var root = openssl.Write("root.pem", fixture.Vendor.Ark.ExportCertificatePem());
        var (code, output) = OpenSsl.Run("verify", "-CAfile", root, "-untrusted", chain, chain);
        Assert.True(code == 0, output);
    }

    [Fact]
    public void Export_ThenLoad_GivesTheSameVendor()
    {
        using var again = SimulatedAmdVendor.Load(new byte[32], fixture.Vendor.Export());
        Assert.Equal(fixture.Vendor.Anchor.SpkiSha256, again.Anchor.SpkiSha256);
        Assert.Throws<Kist.Formats.MalformedDataException>(() => SimulatedAmdVendor.Load(new byte[32], new byte[] { 0x30, 0 }));
    }

    private Verdict Judge(
        SimulatedSnpOptions? options = null, ulong policy = SnpIdBlock.DefaultPolicy, bool allowSimulated = true, TrustAnchorSet? anchors = null,
        ExpectedBinding? binding = null)
    {
        var guest = new SimulatedSnpPlatform(fixture.Vendor, options).Launch(Inputs, policy);
        var evidence = new Kist.Attestation.Evidence
        {
            Tee = "snp",
            Bytes = guest.Report([.. ReportData, .. new byte[16]]),
            Certificates = System.Text.Encoding.ASCII.GetBytes(guest.CertificateChain),
        };
        return EvidenceVerifier.Verify(evidence, binding ?? new(ReportData, null), new VerificationOptions
        {
            Time = new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero),
            Anchors = anchors ?? new TrustAnchorSet([fixture.Vendor.Anchor]),
            AllowSimulated = allowSimulated,
        });
    }

    private static string Describe(Verdict verdict) => string.Join("\n", verdict.Findings.Select(f => $"{f.Outcome} {f.Id}: {f.Why} expected {f.Expected} actual {f.Actual}"));

    /// <summary>RSA keys of 4096 bits take a second each, so one vendor serves all.</summary>
    public sealed class VendorFixture : IDisposable
    {
        public SimulatedAmdVendor Vendor { get; } = SimulatedAmdVendor.Create(new byte[32]);

        public void Dispose() => Vendor.Dispose();
    }
}
