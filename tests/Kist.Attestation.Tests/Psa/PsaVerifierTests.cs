using Kist.Attestation.Psa;
using Kist.Attestation.Tests.Cca;
using Kist.Formats;

namespace Kist.Attestation.Tests.Psa;

public class PsaVerifierTests
{
    [Theory]
    [InlineData("psa/veraison/psa-token.cbor", "psa/veraison/psa-token.pub.pem", null)]
    [InlineData("psa/veraison/psa.good.cose", "cca/keys/veraison-p256.pub.pem", null)]
    [InlineData("psa/tf-m/psa-2_0_0_sign1.bin", "psa/tf-m/public.pem", null)]
    [InlineData("psa/veraison/psa-token.cbor", "cca/keys/veraison-p256.pub.pem", "psa.token.signature")]
    public void Verify_CapturedToken_IsJudgedWithItsKeyPinned(string file, string key, string? decisive)
    {
        var verdict = EvidenceVerifier.Verify(Sample(file, key), ExpectedBinding.None, CcaVerifierTests.Pin("psa", key));

        Assert.Equal(decisive, verdict.DecisiveFailure?.Id);
        Assert.Equal(decisive is null, verdict.IsAccepted);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Fact]
    public void Verify_TokenAuthenticatedWithASharedKey_IsRefused() => Assert.Throws<MalformedDataException>(() => EvidenceVerifier.Verify(
        Sample("psa/tf-m/psa-2_0_0_mac0.bin", "psa/tf-m/public.pem"), ExpectedBinding.None, CcaVerifierTests.Pin("psa", "psa/tf-m/public.pem")));

    [Fact]
    public void Verify_EveryChangedByteCutOrNoise_IsNeverAccepted()
    {
        foreach (var (file, key) in new[] { ("psa/veraison/psa-token.cbor", "psa/veraison/psa-token.pub.pem"), ("psa/tf-m/psa-2_0_0_sign1.bin", "psa/tf-m/public.pem") })
        {
            var sample = Sample(file, key);
            var options = CcaVerifierTests.Pin("psa", key);
            // Byte 0 is the tag of COSE_Sign1, which may also be left out.
            Robustness.NoChangeIsAccepted(sample, options, 0, sample.Bytes.Length);
            Robustness.NoPrefixIsAccepted(sample, options);
            Robustness.NoiseIsRefused("psa", sample.Bytes, options);
        }
    }

    [Theory]
    [InlineData(0x0000, false, false)]
    [InlineData(0x2000, false, false)]
    [InlineData(0x3000, true, false)]
    [InlineData(0x30FF, true, false)]
    [InlineData(0x4001, true, false)]
    [InlineData(0x5000, false, true)]
    [InlineData(0x6000, false, false)]
    public void Lifecycle_Value_DecidesTrust(int value, bool trustworthy, bool debug)
    {
        Assert.Equal(trustworthy, ArmLifecycle.IsTrustworthy(value));
        Assert.Equal(debug, ArmLifecycle.IsDebug(value));
    }

    [Fact]
    public void Detect_Tokens_AreRecognised()
    {
        Assert.Equal("psa", EvidenceDetector.Detect(Testing.Evidence.Read("psa/veraison/psa-token.cbor")).Evidence.Tee);
        Assert.Equal("psa", EvidenceDetector.Detect(Testing.Evidence.Read("psa/tf-m/psa-2_0_0_sign1.bin")).Evidence.Tee);
        Assert.Equal("cca", EvidenceDetector.Detect(Testing.Evidence.Read("cca/veraison/cca-good.cbor")).Evidence.Tee);
    }

    private static Evidence Sample(string file, string key) => new()
    {
        Tee = "psa",
        Bytes = Testing.Evidence.Read(file),
        Certificates = Testing.Evidence.Read(key),
    };
}
