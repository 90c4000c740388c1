using System.Collections.Immutable;
using System.Formats.Cbor;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using Kist.Attestation.Tokens;
using Kist.Attestation.X509;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Attestation.Tests.Tokens;

public class EarTests
{
    private static readonly EarResult s_result = new()
    {
        Profile = "tag:github.com,2023:veraison/ear",
        IssuedAt = DateTimeOffset.FromUnixTimeSeconds(1666091373),
        Expires = DateTimeOffset.FromUnixTimeSeconds(1666091673),
        Developer = "Kist",
        Build = "kist 0.1",
        Submods = ImmutableSortedDictionary<string, EarAppraisal>.Empty.Add("cpu0", new EarAppraisal
        {
            Status = EarTier.Affirming,
            Vector = ImmutableSortedDictionary<string, sbyte>.Empty.Add("hardware", 2).Add("executables", 3),
            PolicyIds = ["default"],
        }),
    };

    [Theory]
    [InlineData("valid", "2022-10-18T12:00:00Z", null)]
    [InlineData("arc-testJWT", "2022-10-18T12:00:00Z", null)]
    [InlineData("valid", "2020-01-01T00:00:00Z", "ear.time.issued")]
    public void Verify_VeraisonToken_IsJudgedWithItsKeyPinned(string name, string time, string? decisive)
    {
        var key = Testing.Evidence.Read("ear/veraison/public-jwk.json");

        var verdict = EvidenceVerifier.Verify(Token($"ear/veraison/{name}.jwt", key), ExpectedBinding.None, Options(time, Jwk(key)));

        Assert.Equal(decisive, verdict.DecisiveFailure?.Id);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Theory]
    [InlineData("alg-none")]
    [InlineData("empty-claims")]
    [InlineData("leading-dot")]
    public void Verify_BadVeraisonToken_IsRefused(string name)
    {
        var key = Testing.Evidence.Read("ear/veraison/public-jwk.json");
        Assert.False(Robustness.IsAccepted(Token($"ear/veraison/{name}.jwt", key), Options("2022-10-18T12:00:00Z", Jwk(key))));
    }

    [Theory]
    [InlineData("2026-01-20T07:57:00Z", "ear/tng/ear.as-ca.pem", null)]
    [InlineData("2026-01-20T08:10:00Z", "ear/tng/ear.as-ca.pem", "ear.time.expires")]
    [InlineData("2026-01-20T07:57:00Z", "ear/tng/simple.as-ca.pem", "ear.signature.anchor")]
    public void Verify_TokenOfTrusteesService_IsJudgedByItsChain(string time, string authority, string? decisive)
    {
        var root = PemReader.ReadCertificates(Testing.Evidence.Read(authority))[0].SubjectPublicKeyInfo.ToArray();

        var verdict = EvidenceVerifier.Verify(Token("ear/tng/ear.jwt"), ExpectedBinding.None, Options(time, root));

        Assert.Equal(decisive, verdict.DecisiveFailure?.Id);
        Assert.Contains(verdict.Findings, f => f.Id == "ear.signature.encoding");
        Assert.Equal("ear", EvidenceDetector.Detect(Testing.Evidence.Read("ear/tng/ear.jwt")).Evidence.Tee);
    }

    [Theory]
    [InlineData("2026-01-19T07:01:30Z", null)]
    [InlineData("2026-01-19T08:00:00Z", "ear.time.expires")]
    public void Verify_TokenOfBeforeEar_IsJudgedByItsChainAndTime(string time, string? decisive)
    {
        var root = PemReader.ReadCertificates(Testing.Evidence.Read("ear/tng/simple.as-ca.pem"))[0].SubjectPublicKeyInfo.ToArray();

        var verdict = EvidenceVerifier.Verify(Token("ear/tng/simple.jwt"), ExpectedBinding.None, Options(time, root));

        Assert.Equal(decisive, verdict.DecisiveFailure?.Id);
        Assert.Contains(verdict.Findings, f => f is { Id: "ear.status", Outcome: FindingOutcome.NotChecked });
    }

    [Fact]
    public void Verify_KeyOnlyInTheHeader_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = JwsToken.Sign(key, EarJson.Write(s_result), writer =>
        {
            writer.WritePropertyName("jwk");
            EcJsonWebKey.FromPublicKey(key, "ES256").WriteTo(writer);
        });
        var evidence = new Evidence { Tee = "ear", Bytes = Encoding.ASCII.GetBytes(token) };

        Assert.Equal("ear.signature.anchor", EvidenceVerifier.Verify(evidence, ExpectedBinding.None, Options("2022-10-18T11:10:00Z", [1])).DecisiveFailure?.Id);
        Assert.True(EvidenceVerifier.Verify(evidence, ExpectedBinding.None, Options("2022-10-18T11:10:00Z", key.ExportSubjectPublicKeyInfo())).IsAccepted);
    }

    [Theory]
    [InlineData(EarTier.None, 0, "ear.status")]
    [InlineData(EarTier.Warning, 33, "ear.status")]
    [InlineData(EarTier.Contraindicated, 97, "ear.status")]
    [InlineData(EarTier.Affirming, 33, "ear.status.vector")]
    [InlineData(EarTier.Affirming, 31, null)]
    public void Verify_Status_MustAffirmAndAgreeWithTheVector(EarTier status, sbyte value, string? decisive)
    {
        var appraisal = new EarAppraisal { Status = status, Vector = ImmutableSortedDictionary<string, sbyte>.Empty.Add("hardware", value) };
        var (evidence, options) = Signed(s_result with { Submods = s_result.Submods.SetItem("gpu0", appraisal) });

        Assert.Equal(decisive, EvidenceVerifier.Verify(evidence, ExpectedBinding.None, options).DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_Cwt_IsAcceptedAndNoChangeOfIt()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var writer = new CborWriter();
        byte[] header = [0xA1, 0x01, 0x26];
        writer.WriteStartArray(4);
        writer.WriteTextString("Signature1");
        writer.WriteByteString(header);
        writer.WriteByteString([]);
        writer.WriteByteString(EarCbor.Write(s_result));
        writer.WriteEndArray();
        var signature = key.SignData(writer.Encode(), HashAlgorithmName.SHA256);
        writer.Reset();
        writer.WriteTag((CborTag)18);
        writer.WriteStartArray(4);
        writer.WriteByteString(header);
        writer.WriteStartMap(0);
        writer.WriteEndMap();
        writer.WriteByteString(EarCbor.Write(s_result));
        writer.WriteByteString(signature);
        writer.WriteEndArray();
        var evidence = new Evidence { Tee = "ear", Bytes = writer.Encode(), Certificates = Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()) };

        Robustness.NoChangeIsAccepted(evidence, Options("2022-10-18T11:10:00Z", key.ExportSubjectPublicKeyInfo()), 0, evidence.Bytes.Length);
        Robustness.NoPrefixIsAccepted(evidence, Options("2022-10-18T11:10:00Z", key.ExportSubjectPublicKeyInfo()));
    }

    [Fact]
    public void Verify_ChangedJwt_IsNeverAccepted()
    {
        var (evidence, options) = Signed(s_result);
        Robustness.NoChangeIsAccepted(evidence, options, 0, evidence.Bytes.Length);
        Robustness.NoPrefixIsAccepted(evidence, options);
        Robustness.NoiseIsRefused("ear", evidence.Bytes, options);
    }

    [Fact]
    public void Parse_ExamplesOfTheDraft_AreRead()
    {
        var example = EarJson.Parse(Testing.Evidence.Read("ear/draft/ear-json-1.diag"));

        Assert.Equal(EarTier.Contraindicated, example.Submods["PSA"].Status);
        Assert.Equal(96, example.Submods["PSA"].Vector["executables"]);
        Assert.Equal("vts 0.0.1", example.Build);
        Assert.Equal(["https://veraison.example/policy/1/60a0068d"], example.Submods["PSA"].PolicyIds);
    }

    [Fact]
    public void WriteAndParse_AnyResult_AgreeInJsonAndCbor()
    {
        EarTier[] tiers = [EarTier.None, EarTier.Affirming, EarTier.Warning, EarTier.Contraindicated];
        var appraisal = Gen.Select(Gen.Int[0, 3], Gen.Dictionary(Gen.Int[0, 7], Gen.SByte)[0, 3], Gen.String.AlphaNumeric.Array[0, 3]);
        Gen.Dictionary(Gen.String.AlphaNumeric, appraisal)[1, 5].Sample(parts =>
        {
            var result = s_result with
            {
                Submods = parts.ToImmutableSortedDictionary(p => p.Key, p => new EarAppraisal
                {
                    Status = tiers[p.Value.Item1],
                    Vector = p.Value.Item2.ToImmutableSortedDictionary(v => EarAppraisal.VectorNames[v.Key], v => v.Value, StringComparer.Ordinal),
                    PolicyIds = [.. p.Value.Item3],
                }, StringComparer.Ordinal),
            };
            Same(result, EarJson.Parse(EarJson.Write(result)));
            Same(result, EarCbor.Parse(EarCbor.Write(result)));
        }, iter: 200);
    }

    [Fact]
    public void Tiers_EveryValue_AreThoseOfRustEar()
    {
        for (var value = -128; value <= 127; value++)
        {
            var expected = value is >= -1 and <= 1 ? EarTier.None : value is >= -32 and <= 31 ? EarTier.Affirming
                : value is >= -96 and <= 95 ? EarTier.Warning : EarTier.Contraindicated;
            Assert.Equal(expected, EarTiers.Of((sbyte)value));
        }
    }

    private static void Same(EarResult expected, EarResult actual)
    {
        Assert.Equal(expected.IssuedAt, actual.IssuedAt);
        Assert.Equal(expected.Expires, actual.Expires);
        Assert.Equal(expected.Submods.Keys, actual.Submods.Keys);
        foreach (var (name, appraisal) in expected.Submods)
        {
            Assert.Equal(appraisal.Status, actual.Submods[name].Status);
            Assert.Equal(appraisal.Vector, actual.Submods[name].Vector);
            Assert.Equal(appraisal.PolicyIds, actual.Submods[name].PolicyIds);
        }
    }

    private static (Evidence Evidence, VerificationOptions Options) Signed(EarResult result)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var evidence = new Evidence
        {
            Tee = "ear",
            Bytes = Encoding.ASCII.GetBytes(JwsToken.Sign(key, EarJson.Write(result))),
            Certificates = Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()),
        };
        return (evidence, Options("2022-10-18T11:10:00Z", key.ExportSubjectPublicKeyInfo()));
    }

    private static Evidence Token(string file, byte[]? key = null) => new()
    {
        Tee = "ear",
        Bytes = Testing.Evidence.Read(file),
        Certificates = key ?? default(ReadOnlyMemory<byte>),
    };

    private static byte[] Jwk(byte[] json)
    {
        using var key = ((EcJsonWebKey)JsonWebKey.Parse(json)).CreateECDsa();
        return key.ExportSubjectPublicKeyInfo();
    }

    private static VerificationOptions Options(string time, byte[] spki) => new()
    {
        Time = DateTimeOffset.Parse(time, CultureInfo.InvariantCulture),
        Anchors = new TrustAnchorSet([new TrustAnchor("ear", "test verifier", [.. SHA256.HashData(spki)], false, "this test")]),
    };
}
