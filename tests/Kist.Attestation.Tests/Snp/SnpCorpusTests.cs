using Kist.Attestation.Snp;
using Kist.Formats;

namespace Kist.Attestation.Tests.Snp;

/// <summary>Every SNP row of the evidence corpus, judged at a time at which its certificates are valid.</summary>
public class SnpCorpusTests
{
    [Theory]
    [InlineData("milan-v2-trustee/report.bin", "milan-v2-trustee/vcek.der", "2024-01-01", "Milan")]
    [InlineData("milan-v2-virtee/report.hex", "milan-v2-virtee/vcek.der", "2024-01-01", "Milan")]
    [InlineData("milan-v3-oak-oc/report.bin", "milan-v3-oak-oc/vcek.der", "2025-06-01", "Milan")]
    [InlineData("milan-v3-oak-oc/report-staging.bin", "milan-v3-oak-oc/vcek.der", "2025-06-01", "Milan")]
    [InlineData("genoa-v5-oak/report.bin", "genoa-v5-oak/vcek.der", "2025-12-01", "Genoa")]
    [InlineData("turin-v5-openanolis/report.bin", "turin-v5-openanolis/vcek.der", "2026-08-01", "Turin")]
    public void Verify_GenuineReport_IsAccepted(string report, string certificate, string time, string product)
    {
        var evidence = SnpSamples.Report($"snp/{report}", $"snp/{certificate}");

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, SnpSamples.At(time));

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.Equal(product, Assert.IsType<SnpClaims>(verdict.Claims).Product.ToString());
        Assert.False(verdict.IsDebug);
        Assert.False(verdict.IsSimulated);
    }

    [Theory]
    [InlineData("milan-v2-trustee/report.bin", "milan-v2-trustee/vcek.der", "2020-01-01", "snp.chain.validity")]
    [InlineData("milan-v2-trustee/report.bin", "milan-v2-trustee/vcek.der", "2031-01-01", "snp.chain.validity")]
    [InlineData("milan-v2-debugpolicy-google/report.bin", "milan-v2-debugpolicy-google/vcek.der", "2024-01-01", "snp.debug")]
    [InlineData("milan-v3-vlek-aws-trustee/report.bin", "milan-v3-vlek-aws-trustee/vlek.der", "2025-06-01", "snp.vmpl")]
    [InlineData("derived/milan-v2-measurement-flipped.bin", "milan-v2-trustee/vcek.der", "2024-01-01", "snp.report.signature")]
    [InlineData("derived/milan-v2-tcb-raised.bin", "milan-v2-trustee/vcek.der", "2024-01-01", "snp.report.signature")]
    [InlineData("milan-v2-trustee/report.bin", "milan-v2-trustee/vcek-invalid-legacy.der", "2024-01-01", "snp.chain.signatures")]
    [InlineData("milan-v2-trustee/report.bin", "milan-v2-trustee/vcek-invalid-new.der", "2024-01-01", "snp.chain.signatures")]
    [InlineData("milan-v2-trustee/report.bin", "milan-v2-virtee/vcek.der", "2024-01-01", "snp.report.signature")]
    [InlineData("milan-v2-trustee/report.bin", "milan-vcek-2021-enarx/vcek.der", "2024-01-01", "snp.report.signature")]
    [InlineData("turin-v5-openanolis/report.bin", "turin-vcek-only/vcek.der", "2026-08-01", "snp.report.signature")]
    public void Verify_NotAcceptable_FailsFirstAt(string report, string certificate, string time, string code)
    {
        var evidence = SnpSamples.Report($"snp/{report}", $"snp/{certificate}");

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, SnpSamples.At(time));

        Assert.False(verdict.IsAccepted);
        Assert.Equal(code, verdict.DecisiveFailure?.Id);
        Assert.NotNull(verdict.DecisiveFailure?.Remedy);
    }

    [Fact]
    public void Verify_VlekReportWithItsVmplAllowed_IsAcceptedAndNamesTheProvider()
    {
        var evidence = SnpSamples.Report("snp/milan-v3-vlek-aws-trustee/report.bin", "snp/milan-v3-vlek-aws-trustee/vlek.der");
        var options = SnpSamples.At("2025-06-01") with { Snp = new SnpPolicy { MaximumVmpl = 1 } };

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, options);

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.Contains(verdict.Findings, f => f.Id == "snp.chip" && f.Actual == "CN=cc-us-east-2.amazonaws.com");
    }

    [Fact]
    public void Verify_DebugPolicyAllowed_IsAcceptedAndSaysSo()
    {
        var evidence = SnpSamples.Report("snp/milan-v2-debugpolicy-google/report.bin", "snp/milan-v2-debugpolicy-google/vcek.der");

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, SnpSamples.At("2024-01-01") with { AllowDebug = true });

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.True(verdict.IsDebug);
    }

    [Fact]
    public void Verify_TruncatedReport_IsMalformed() => Assert.Throws<MalformedDataException>(() => EvidenceVerifier.Verify(
        SnpSamples.Report("snp/derived/milan-v2-truncated.bin", "snp/milan-v2-trustee/vcek.der"), ExpectedBinding.None,
        SnpSamples.At("2024-01-01")));

    [Theory]
    [InlineData("tsm-report.json")]
    [InlineData("tsm-report.cbor")]
    [InlineData("ratsd-token.json")]
    public void Verify_TsmFiles_AreAcceptedWithTheirTable(string file)
    {
        var evidence = EvidenceDetector.Detect(Testing.Evidence.Read($"snp/genoa-v3-tsm/{file}")).Evidence;

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, SnpSamples.At("2025-10-01"));

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
    }

    [Fact]
    public void Verify_WithoutCertificate_FailsAndSaysWhereToGetIt()
    {
        var bytes = Testing.Evidence.Read("snp/milan-v3-oak-oc/report.bin");

        var verdict = EvidenceVerifier.Verify(
            new Evidence { Tee = "snp", Bytes = bytes }, ExpectedBinding.None, SnpSamples.At("2025-06-01"));

        Assert.Equal("snp.certificate", verdict.DecisiveFailure?.Id);
        Assert.Contains("fmc", SnpKdsName.Vcek(SnpReportReader.Parse(Testing.Evidence.Read("snp/turin-v5-openanolis/report.bin")), SnpProduct.Turin)!, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_CertificateInCollateral_IsAccepted()
    {
        var bytes = Testing.Evidence.Read("snp/milan-v3-oak-oc/report.bin");
        var store = new CollateralStore();
        var name = SnpKdsName.Vcek(SnpReportReader.Parse(bytes), SnpProduct.Milan)!;
        store.Add(new CollateralKey(CollateralKey.AmdVcek, name), Testing.Evidence.Read("snp/milan-v3-oak-oc/vcek.der"));

        var verdict = EvidenceVerifier.Verify(new Evidence { Tee = "snp", Bytes = bytes }, ExpectedBinding.None,
            SnpSamples.At("2025-06-01") with { Collateral = store });

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
    }

    [Fact]
    public void Verify_OtherRootsInForce_IsRefusedAtTheAnchor()
    {
        var options = SnpSamples.At("2024-01-01") with { Anchors = new TrustAnchorSet([VendorAnchors.AmdGenoaRoot]) };

        var verdict = EvidenceVerifier.Verify(SnpSamples.MilanV2, ExpectedBinding.None, options);

        Assert.Equal("snp.chain.anchor", verdict.DecisiveFailure?.Id);
    }
}
