using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Kist.Attestation.Snp;
using Kist.Attestation.Tests.Tpm;
using Kist.Formats;

namespace Kist.Attestation.Tests.Snp;

public class SnpBundleTests
{
    private static readonly Evidence s_vlek = SnpSamples.Report("snp/milan-v3-vlek-aws-trustee/report.bin", "snp/milan-v3-vlek-aws-trustee/vlek.der");

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void Parse_BundleOfSnpEvidence_IsJudgedUnderItsOwnPolicy(int vmpl, bool isAccepted)
    {
        var file = Bundle(new SnpPolicy { MaximumVmpl = vmpl });
        var bundle = EvidenceBundleJson.Parse(file);

        Assert.Equal(isAccepted, bundle.Verify(VendorAnchors.All).IsAccepted);
        Assert.Equal(isAccepted, bundle.WasAccepted);
        Assert.Equal(Encoding.UTF8.GetString(file), Encoding.UTF8.GetString(EvidenceBundleJson.Write(bundle)));
    }

    [Fact]
    public void Parse_EveryRuleOfThePolicy_IsKept()
    {
        var policy = new SnpPolicy
        {
            MaximumVmpl = null,
            AllowMigrationAgent = true,
            AllowProvisionalFirmware = false,
            IdKeyDigests = FrozenSet.Create("aa", "bb"),
            AuthorKeyDigests = FrozenSet<string>.Empty,
            CloudProviders = FrozenSet.Create("CN=cc-us-east-2.amazonaws.com"),
            RequiredMitigations = ulong.MaxValue,
        };

        var read = EvidenceBundleJson.Parse(Bundle(policy)).Options.Snp;

        Assert.Equal(policy with { IdKeyDigests = null, AuthorKeyDigests = null, CloudProviders = null },
            read with { IdKeyDigests = null, AuthorKeyDigests = null, CloudProviders = null });
        Assert.Equal(policy.IdKeyDigests.Order(), read.IdKeyDigests?.Order());
        Assert.Equal([], read.AuthorKeyDigests);
        Assert.Equal(policy.CloudProviders, read.CloudProviders);
    }

    [Theory]
    [InlineData("\"maximumVmpl\": 1", "\"maximumVmpI\": 1")]
    [InlineData("\"maximumVmpl\": 1", "\"maximumVmpl\": 4")]
    [InlineData("\"allowMigrationAgent\": false,", "")]
    [InlineData("\"idKeyDigests\": null", "\"idKeyDigests\": [1]")]
    [InlineData("\"idKeyDigests\": null", "\"idKeyDigests\": [\"\\ud800\"]")]
    [InlineData("\"idKeyDigests\": null", "\"idKeyDigest\": null")]
    public void Parse_DamagedPolicy_IsMalformed(string from, string to)
    {
        var text = Encoding.UTF8.GetString(Bundle(new SnpPolicy { MaximumVmpl = 1 }));
        Assert.Contains(from, text, StringComparison.Ordinal);

        Assert.Throws<MalformedDataException>(() => EvidenceBundleJson.Parse(Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal))));
    }

    [Fact]
    public void Verify_BundleWhoseReferencesNameTheTpmsKey_VouchesForNoKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = key.ExportSubjectPublicKeyInfo();
        var message = QuoteMaker.Message(SHA384.HashData("nonce"u8), QuoteMaker.Registers, 11);
        var evidence = new Evidence { Tee = "tpm", Json = QuoteMaker.Evidence(spki, message, QuoteMaker.Sign(key, message), QuoteMaker.Registers) };
        var options = SnpSamples.At("2026-01-01") with { References = [new ReferenceValue("ak_public", [Convert.ToBase64String(spki)])] };

        var (bundle, verdict) = EvidenceBundle.Create(evidence, ExpectedBinding.None, options);

        Assert.True(verdict.IsAccepted);
        Assert.Equal("tpm.ak.anchor", bundle.Verify(VendorAnchors.All).DecisiveFailure?.Id);
        Assert.True(bundle.Verify(new TrustAnchorSet([new TrustAnchor("tpm", "enrolled", [.. SHA256.HashData(spki)], false, "a test")])).IsAccepted);
    }

    [Fact]
    public void Verify_AllowedChipsWithEvidenceThatNamesNone_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = key.ExportSubjectPublicKeyInfo();
        var message = QuoteMaker.Message(SHA384.HashData("nonce"u8), QuoteMaker.Registers, 11);
        var options = SnpSamples.At("2026-01-01") with
        {
            Tcb = TcbPolicy.Default with { AllowedChips = FrozenSet.Create("00") },
            Anchors = new TrustAnchorSet([new TrustAnchor("tpm", "enrolled", [.. SHA256.HashData(spki)], false, "a test")]),
        };

        var verdict = EvidenceVerifier.Verify("tpm", QuoteMaker.Evidence(spki, message, QuoteMaker.Sign(key, message), QuoteMaker.Registers), ExpectedBinding.None, options);

        Assert.Equal("evidence.chip", verdict.DecisiveFailure?.Id);
        Assert.NotNull(FindingCatalog.Find("evidence.chip"));
        Assert.Equal("snp.chip.allowed", EvidenceVerifier.Verify(SnpSamples.MilanV2, ExpectedBinding.None,
            SnpSamples.At("2024-01-01") with { Tcb = options.Tcb }).DecisiveFailure?.Id);
    }

    private static byte[] Bundle(SnpPolicy policy) =>
        EvidenceBundleJson.Write(EvidenceBundle.Create(s_vlek, ExpectedBinding.None, SnpSamples.At("2025-06-01") with { Snp = policy }).Bundle);
}
