using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Attestation.Cca;
using Kist.Formats;

namespace Kist.Attestation.Tests.Cca;

public class CcaVerifierTests
{
    private const string Cpak = "cca/keys/tfm-cpak.pub.pem";
    private const string Veraison = "cca/keys/veraison-p256.pub.pem";

    [Theory]
    [InlineData("cca/trustee-example/cca-token.cbor", Cpak, null)]
    [InlineData("cca/draft-ffm-00/cca-token.cbor", Cpak, null)]
    [InlineData("cca/tf-rmm/cca_token.cbor", Cpak, null)]
    [InlineData("cca/sha512-binder/cca-token-02.cbor", Veraison, null)]
    [InlineData("cca/veraison/cca-good.cbor", Veraison, null)]
    [InlineData("cca/bug33-binder/cca-token.cbor", Cpak, "cca.realm.key_binding")]
    [InlineData("cca/derived/trustee-implid-flipped.cbor", Cpak, "cca.platform.signature")]
    [InlineData("cca/trustee-example/cca-token.cbor", Veraison, "cca.platform.signature")]
    public void Verify_CapturedToken_IsJudgedWithItsKeyPinned(string file, string key, string? decisive)
    {
        var verdict = EvidenceVerifier.Verify(Sample(file, key), ExpectedBinding.None, Pin("arm", key));

        Assert.Equal(decisive, verdict.DecisiveFailure?.Id);
        Assert.Equal(decisive is null, verdict.IsAccepted);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Fact]
    public void Verify_KeyThatIsNotPinned_IsRefused()
    {
        var options = new VerificationOptions { Time = DateTimeOffset.UnixEpoch };

        Assert.Equal("cca.platform.key.anchor", EvidenceVerifier.Verify(
            Sample("cca/trustee-example/cca-token.cbor", Cpak), ExpectedBinding.None, options).DecisiveFailure?.Id);
        Assert.Equal("cca.platform.key.anchor", EvidenceVerifier.Verify(
            new Evidence { Tee = "cca", Bytes = Testing.Evidence.Read("cca/trustee-example/cca-token.cbor") }, ExpectedBinding.None,
            options).DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_KeyInCollateralUnderTheInstance_IsUsed()
    {
        var bytes = Testing.Evidence.Read("cca/trustee-example/cca-token.cbor");
        var store = new CollateralStore();
        store.Add(new CollateralKey(CollateralKey.ArmPlatformKey, Convert.ToHexStringLower(CcaToken.Parse(bytes).Platform.InstanceId.Span)),
            Testing.Evidence.Read(Cpak));

        Assert.True(EvidenceVerifier.Verify(new Evidence { Tee = "cca", Bytes = bytes }, ExpectedBinding.None,
            Pin("arm", Cpak) with { Collateral = store }).IsAccepted);
    }

    [Fact]
    public void Verify_CocoJson_BindsChallengeAndPersonalization()
    {
        var bytes = Testing.Evidence.Read("cca/trustee-example/cca-token.cbor");
        var realm = CcaToken.Parse(bytes).Realm;
        var json = new JsonObject { ["token"] = new JsonArray([.. bytes.Select(b => (JsonNode)b)]) };
        using var document = JsonDocument.Parse(json.ToJsonString());
        var evidence = new Evidence { Tee = "cca", Json = document.RootElement, Certificates = Testing.Evidence.Read(Cpak) };
        var good = new ExpectedBinding(realm.Challenge, realm.PersonalizationValue);

        Assert.True(EvidenceVerifier.Verify(evidence, good, Pin("arm", Cpak)).IsAccepted);
        Assert.Equal("cca.binding.report_data",
            EvidenceVerifier.Verify(evidence, good with { ReportData = new byte[48] }, Pin("arm", Cpak)).DecisiveFailure?.Id);
        Assert.Equal("cca.binding.init_data",
            EvidenceVerifier.Verify(evidence, good with { InitDataDigest = new byte[] { 1 } }, Pin("arm", Cpak)).DecisiveFailure?.Id);
        Robustness.NoDamagedJsonThrows("cca", document.RootElement, Pin("arm", Cpak));
    }

    [Fact]
    public void Verify_EveryChangedByteCutOrNoise_IsNeverAccepted()
    {
        var sample = Sample("cca/trustee-example/cca-token.cbor", Cpak);
        var options = Pin("arm", Cpak);

        Robustness.NoChangeIsAccepted(sample, options, 0, sample.Bytes.Length);
        Robustness.NoPrefixIsAccepted(sample, options);
        Robustness.NoiseIsRefused("cca", sample.Bytes, options);
    }

    [Fact]
    public void Parse_PublishedClaimSets_AreReadOrRefused()
    {
        Assert.NotNull(CcaPlatformToken.Parse(Testing.Evidence.Read("cca/claims/platform-claims.cbor")));
        Assert.NotNull(CcaRealmToken.Parse(Testing.Evidence.Read("cca/claims/realm-claims.cbor")));
        Assert.NotNull(CcaRealmToken.Parse(Testing.Evidence.Read("cca/claims/realm-claims+spurious-text-key.cbor")));
        Assert.Throws<MalformedDataException>(() => CcaRealmToken.Parse(Testing.Evidence.Read("cca/claims/realm-claims-missing-challenge.cbor")));
    }

    [Fact]
    public void Claims_OfAToken_AreThoseOfVeraison()
    {
        using var expected = JsonDocument.Parse(Testing.Evidence.Read("cca/veraison/cca-good.json"));
        var verdict = EvidenceVerifier.Verify(Sample("cca/veraison/cca-good.cbor", Veraison), ExpectedBinding.None, Pin("arm", Veraison));
        using var actual = JsonDocument.Parse(Claims(verdict));

        foreach (var token in new[] { ("cca-platform-token", "platform"), ("cca-realm-delegated-token", "realm") })
        {
            foreach (var member in expected.RootElement.GetProperty(token.Item1).EnumerateObject().Where(m => m.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number))
                Assert.Equal(member.Value.ToString(), actual.RootElement.GetProperty(token.Item2).GetProperty(member.Name).ToString());
        }
    }

    private static byte[] Claims(Verdict verdict)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            verdict.Claims!.WriteTo(writer);
        return stream.ToArray();
    }

    internal static VerificationOptions Pin(string vendor, string key)
    {
        var fields = PemEncoding.Find(Encoding.ASCII.GetString(Testing.Evidence.Read(key)));
        var spki = Convert.FromBase64String(Encoding.ASCII.GetString(Testing.Evidence.Read(key))[fields.Base64Data]);
        return new VerificationOptions
        {
            Time = DateTimeOffset.UnixEpoch.AddYears(56),
            Anchors = new TrustAnchorSet([new TrustAnchor(vendor, "test key", [.. SHA256.HashData(spki)], false, "this test")]),
        };
    }

    private static Evidence Sample(string file, string key) => new()
    {
        Tee = "cca",
        Bytes = Testing.Evidence.Read(file),
        Certificates = Testing.Evidence.Read(key),
    };
}
