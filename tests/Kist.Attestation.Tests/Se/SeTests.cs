using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Attestation.Se;
using Kist.Attestation.X509;

namespace Kist.Attestation.Tests.Se;

public class SeTests
{
    private static readonly byte[] s_tags = [.. Fill(1, 64), .. Fill(2, 64), .. Fill(3, 64), .. Fill(4, 16)];
    private static readonly byte[] s_key = Fill(0x41, 64);

    // Published with the pv crate of s390-tools (rust/pv/src/uvattest/attest.rs).
    [Theory]
    [InlineData(256, 16, 128, "88794c62cce7bcf26216deb3f48f13fea6374b6d7e35bcc5c2ce68121db6f45dfc8c171856463549408bf8e7d1aca11efad0a878af97dc9e21a1fc2a32f3a675")]
    [InlineData(256, 0, 128, "fbd4f738a390edd947cd4f11af3a2f3bab2fdf8bf89bf81beb495117f4382cf42f0730c8c7d9e3ca27fb25adfceb21224f57fdb398dcf41a83c146e6a23db760")]
    [InlineData(0, 0, 128, "63671fbf295036eb1023ea71f7182e7d6343dc7b2da584e824d0a7d198ab9cded756c93b39050ffb764555b01f88cb82017a6a15c7e0bafc6005f1e4f78aa124")]
    [InlineData(0, 0, 0, "c5c34c93835d1ec23f5c2d778dfa20129b11b305601742cb2f38e0ed9894dcdb73fc8695ab6a8dbad0744073ddc81a5eaafa52e4a15af8deb8d761091922847f")]
    public void Compute_PublishedItems_GiveThePublishedMeasurement(int user, int nonce, int additional, string expected)
    {
        var measurement = SeMeasurement.Compute(s_key, s_tags, Fill(5, 16), Fill(7, user), Fill(8, nonce), Fill(9, additional));

        Assert.Equal(expected, Convert.ToHexStringLower(measurement));
    }

    [Fact]
    public void Verify_EvidenceWithTheRequestsKey_IsAcceptedAndNothingElseIs()
    {
        var digest = SHA512.HashData("request"u8);
        var nonce = Fill(8, 16);
        var additional = Fill(9, 64);
        var json = Json(SeMeasurement.Compute(s_key, s_tags, Fill(5, 16), digest, nonce, additional), digest, additional);
        var options = new VerificationOptions { Time = DateTimeOffset.UnixEpoch, Se = new SePolicy { MeasurementKey = s_key, RequestNonce = nonce } };
        var binding = new ExpectedBinding(digest, null);

        var verdict = EvidenceVerifier.Verify("se", json, binding, options);
        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.Equal("se.measurement", EvidenceVerifier.Verify("se", json, binding, options with { Se = SePolicy.Default }).DecisiveFailure?.Id);
        Assert.Equal("se.measurement", EvidenceVerifier.Verify("se", json, binding,
            options with { Se = options.Se with { RequestNonce = Fill(7, 16) } }).DecisiveFailure?.Id);
        Assert.Equal("se.binding.report_data", EvidenceVerifier.Verify("se", json, new ExpectedBinding(new byte[64], null), options).DecisiveFailure?.Id);
        var forged = Json(new byte[SeMeasurement.Size], digest, additional);
        Assert.DoesNotContain(json.GetProperty("measurement").GetString() is { } right ? Convert.ToHexStringLower(Convert.FromBase64String(right)) : "",
            VerdictTree.ToText(EvidenceVerifier.Verify("se", forged, binding, options)), StringComparison.Ordinal);
        Robustness.NoDamagedJsonThrows("se", json, options);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Theory]
    [InlineData("host.crt", "ibm.crt", "inter_ca.crl", "ibm.crl", null)]
    [InlineData("host2.crt", "ibm.crt", "inter_ca.crl", "ibm.crl", null)]
    [InlineData("host_rev.crt", "ibm.crt", "inter_ca.crl", "ibm.crl", "se.host_key.revocation")]
    [InlineData("host_crt_expired.crt", "ibm.crt", "inter_ca.crl", "ibm.crl", "se.host_key.validity")]
    [InlineData("host_invalid_signing_key.crt", "ibm.crt", "inter_ca.crl", "ibm.crl", "se.host_key.issuer")]
    [InlineData("fake_host.crt", "ibm.crt", "inter_ca.crl", "ibm.crl", "se.host_key.signature")]
    [InlineData("host.crt", "fake_ibm.crt", "inter_ca.crl", "ibm.crl", "se.host_key.signature")]
    [InlineData("host.crt", "ibm_rev.crt", "inter_ca.crl", "ibm.crl", "se.host_key.chain.revocation")]
    [InlineData("host.crt", "ibm_expired.crt", "inter_ca.crl", "ibm.crl", "se.host_key.chain.validity")]
    [InlineData("host.crt", "ibm_wrong_subject.crt", "inter_ca.crl", "ibm.crl", "se.host_key.issuer")]
    [InlineData("host.crt", "ibm.crt", "inter_ca.crl", "ibm_outdated_late.crl", "se.host_key.revocation")]
    [InlineData("host.crt", "ibm.crt", "inter_ca.crl", "ibm_invalid_hash.crl", "se.host_key.revocation")]
    [InlineData("host.crt", "ibm.crt", "inter_ca.crl", "ibm_wrong_subject.crl", "se.host_key.revocation")]
    [InlineData("host.crt", "ibm.crt", "inter_ca.invalid_date.crl", "ibm.crl", "se.host_key.chain.revocation")]
    [InlineData("host.crt", "ibm.crt", "inter_ca.invalid_signer.crl", "ibm.crl", "se.host_key.chain.revocation")]
    public void Verify_HostKeyDocument_IsJudgedWithItsLists(string host, string signer, string interList, string signerList, string? decisive)
    {
        byte[] authorities = [.. Read(signer), .. "\n"u8, .. Read("inter_ca.crt"), .. "\n"u8, .. Read("root_ca.crt")];
        var root = PemReader.ReadCertificates(Read("root_ca.crt"))[0].SubjectPublicKeyInfo;
        var options = new VerificationOptions
        {
            Time = DateTimeOffset.Parse("2024-06-01T00:00:00Z", CultureInfo.InvariantCulture),
            Anchors = new TrustAnchorSet([new TrustAnchor("ibm", "test root", [.. SHA256.HashData(root.Span)], false, "the corpus")]),
        };

        var verdict = SeHostKeyDocument.Verify(Read(host), authorities, [Read(interList), Read(signerList), Read("root_ca.crl")], options);

        Assert.Equal(decisive, verdict.DecisiveFailure?.Id);
        Assert.Equal(decisive is null, verdict.IsAccepted);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Fact]
    public void Verify_ForeignAuthorities_AreRefusedAtTheAnchor()
    {
        byte[] authorities = [.. Read("fake_ibm.crt"), .. "\n"u8, .. Read("fake_inter_ca.crt"), .. "\n"u8, .. Read("fake_root_ca.crt")];
        var root = PemReader.ReadCertificates(Read("root_ca.crt"))[0].SubjectPublicKeyInfo;
        var options = new VerificationOptions
        {
            Time = DateTimeOffset.Parse("2024-06-01T00:00:00Z", CultureInfo.InvariantCulture),
            Anchors = new TrustAnchorSet([new TrustAnchor("ibm", "test root", [.. SHA256.HashData(root.Span)], false, "the corpus")]),
        };

        var verdict = SeHostKeyDocument.Verify(Read("fake_host.crt"), authorities, [Read("ibm.crl"), Read("inter_ca.crl")], options);

        Assert.Contains(verdict.Findings, f => f is { Id: "se.host_key.chain.anchor", Outcome: FindingOutcome.Fail });
    }

    private static byte[] Fill(byte value, int count) => [.. Enumerable.Repeat(value, count)];

    private static byte[] Read(string name) => Testing.Evidence.Read($"ibm-se/cert/{name}");

    private static JsonElement Json(byte[] measurement, byte[] userData, byte[] additional)
    {
        using var document = JsonDocument.Parse(new JsonObject
        {
            ["measurement"] = Convert.ToBase64String(measurement),
            ["additional_data"] = Convert.ToBase64String(additional),
            ["user_data"] = Convert.ToBase64String(userData),
            ["cuid"] = Convert.ToBase64String(Fill(5, 16)),
            ["encr_measurement_key"] = "",
            ["encr_request_nonce"] = "",
            ["image_hdr_tags"] = Convert.ToBase64String(s_tags),
        }.ToJsonString());
        return document.RootElement.Clone();
    }
}
