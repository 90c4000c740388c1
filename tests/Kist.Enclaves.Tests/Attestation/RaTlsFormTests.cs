using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Kist.Formats;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Simulator;
using Kist.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Kist.Enclaves.Tests.Attestation;

/// <summary>The forms of evidence in certificates: what each binds, and that nothing else passes.</summary>
public sealed class RaTlsFormTests : IDisposable
{
    private static readonly FakeTimeProvider s_time = new(SimulatedQuoter.Now);

    private readonly SimulatedQuoter _quoter = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private byte[] Spki => _key.ExportSubjectPublicKeyInfo();

    public void Dispose()
    {
        _quoter.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task Verify_OwnCertificate_IsAcceptedAndSaysWhatItChecked()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var verdict = Verify(certificate);
        Assert.True(verdict.IsAccepted, verdict.DecisiveFailure?.Why);
        foreach (var id in new[] { "ratls.certificate.validity", "ratls.certificate.signature", "ratls.key", "sgx.binding.report_data", "sgx.quote.signature" })
            Assert.Contains(verdict.Findings, f => f.Id == id && f.Outcome == FindingOutcome.Pass);
        Assert.All(verdict.Findings.Where(f => f.Id.StartsWith("ratls", StringComparison.Ordinal)), f => Assert.NotNull(FindingCatalog.Find(f.Id)));
    }

    [Fact]
    public async Task Verify_CertificateMadeForANonce_AnswersThatNonceAlone()
    {
        var nonce = RandomNumberGenerator.GetBytes(32);
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, endorsements: null, nonce, Cancel);
        var evidence = RaTlsEvidence.Read(certificate.RawData);
        Assert.True(RaTlsVerifier.Verify(evidence, nonce, _quoter.Options, false).IsAccepted);
        var refused = RaTlsVerifier.Verify(evidence, new byte[32], _quoter.Options, false);
        Assert.Equal("ratls.nonce", refused.DecisiveFailure?.Id);
        using var forAll = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        Assert.Contains("no nonce", RaTlsVerifier.Verify(RaTlsEvidence.Read(forAll.RawData), nonce, _quoter.Options, false).DecisiveFailure!.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.2.840.113741.1337.6")]
    [InlineData("0.6.9.42.840.113741.1337.6")]
    public async Task Verify_BareQuoteOverTheKeysDigest_IsAcceptedAndForNoOtherKey(string oid)
    {
        using var certificate = Certificate(oid, await _quoter.QuoteAsync(SHA256.HashData(Spki), Cancel));
        Assert.Equal(RaTlsForm.Quote, RaTlsEvidence.Read(certificate.RawData).Form);
        Assert.True(Verify(certificate).IsAccepted, Verify(certificate).DecisiveFailure?.Why);
        using var stolen = Certificate(oid, await _quoter.QuoteAsync(SHA256.HashData("another key"u8), Cancel));
        Assert.Equal("sgx.binding.report_data", Verify(stolen).DecisiveFailure?.Id);
    }

    [Fact]
    public async Task Verify_DiceBesideAnOlderForm_DiceDecides()
    {
        var claims = DiceClaims.Encode(Spki, null);
        var dice = DiceEvidence.Encode(await _quoter.QuoteAsync(SHA256.HashData(claims), Cancel), claims);
        using var certificate = Certificate(("1.2.840.113741.1337.6", [1, 2, 3]), (RaTlsEvidence.EvidenceOid, dice));
        Assert.Equal(RaTlsForm.Dice, RaTlsEvidence.Read(certificate.RawData).Form);
        Assert.True(Verify(certificate).IsAccepted);
    }

    [Theory]
    [InlineData("1.2.840.113556.10.1.1", RaTlsForm.OpenEnclave)]
    [InlineData("1.2.840.113741.1.13.1", RaTlsForm.IntelSdk)]
    [InlineData("1.2.840.113741.1337.2", RaTlsForm.Epid)]
    [InlineData("1.2.840.113741.1337.14", RaTlsForm.LocalReport)]
    public async Task Verify_FormWhoseBindingIsNotKnown_IsRefused(string oid, RaTlsForm form)
    {
        using var certificate = Certificate(oid, await _quoter.QuoteAsync(SHA256.HashData(Spki), Cancel));
        Assert.Equal(form, RaTlsEvidence.Read(certificate.RawData).Form);
        Assert.Equal("ratls.form", Verify(certificate).DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_TrustDomain_DiceAndDstackAreJudgedByTheTdxVerifier()
    {
        var vendor = SimulatedVendor.FromSeed(SHA256.HashData("vendor"u8));
        var domain = new SimulatedTdxPlatform(vendor).Launch(new LaunchInputs
        {
            Firmware = SyntheticOvmf.WithTdx().Build(),
            Kernel = new SyntheticKernel().Build(),
            Initrd = "initrd"u8.ToArray(),
            CommandLine = "quiet",
            MemoryBytes = 512 << 20,
            Profile = TdxLaunchProfile.Simulated,
        });
        var claims = DiceClaims.Encode(Spki, null);
        using var dice = Certificate(RaTlsEvidence.EvidenceOid, DiceEvidence.Encode(domain.Quote(Padded(SHA256.HashData(claims))), claims));
        using var dstack = Certificate("1.3.6.1.4.1.62397.1.1", domain.Quote(SHA512.HashData([.. "ratls-cert:"u8, .. Spki])));
        foreach (var certificate in new[] { dice, dstack })
        {
            var verdict = Verify(certificate);
            Assert.Equal("tdx", verdict.Tee);
            Assert.True(verdict.IsAccepted, verdict.DecisiveFailure?.Why);
        }
    }

    [Fact]
    public async Task Verify_CertificateChangedAfterItWasSigned_IsRefused()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var der = certificate.RawData;
        // The last digit of the year in which it ends: whoever lengthens a certificate's life does not have its key.
        var end = der.AsSpan().IndexOf(Encoding.ASCII.GetBytes(certificate.NotAfter.ToUniversalTime().ToString("yyMMddHHmmss", System.Globalization.CultureInfo.InvariantCulture)));
        der[end + 1]++;
        var verdict = RaTlsVerifier.Verify(RaTlsEvidence.Read(der), null, _quoter.Options, false);
        Assert.Equal("ratls.certificate.signature", Assert.Single(verdict.Findings, f => f.Outcome == FindingOutcome.Fail).Id);
    }

    [Fact]
    public async Task Verify_StaleCertificate_IsRefused()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var verdict = RaTlsVerifier.Verify(RaTlsEvidence.Read(certificate.RawData), null, _quoter.Options with { Time = SimulatedQuoter.Now.AddHours(25) }, false);
        Assert.Equal("ratls.certificate.validity", verdict.DecisiveFailure?.Id);
    }

    [Theory]
    [InlineData(7, 48)]
    [InlineData(8, 64)]
    public void Parse_KeyHashOfAnotherAlgorithm_IsComparedByIt(ulong id, int size)
    {
        var hash = size == 48 ? SHA384.HashData(Spki) : SHA512.HashData(Spki);
        var claims = DiceClaims.Parse(Claims(id, hash));
        Assert.True(claims.IsFor(Spki));
        Assert.False(claims.IsFor("another"u8));
        Assert.Throws<MalformedDataException>(() => DiceClaims.Parse(Claims(id, hash[..^1])));
        Assert.Throws<MalformedDataException>(() => DiceClaims.Parse(Claims(2, hash)));
    }

    /// <summary>
    /// The claims of the three certificates that Gramine, Intel's SDK and RATS-TLS publish for their interoperability tests
    /// (CCC-Attestation/interoperable-ra-tls, interoperability-tests), with the digest that each quote's report data holds.
    /// </summary>
    [Theory]
    [InlineData("a16b7075626b65792d6861736858248201582"
        + "05a5a5b2d177433048e9d62409d1acc4ec526c06e294d09e69a36cff9369e4851", "d8673446fe0f6842d4af0d182c8751d7e967039116deff5f85a43b2ca90c2831", 0)]
    [InlineData("a16b7075626b65792d6861736858248201582"
        + "0f306ed602985371e3b485102db1fcdd4f4738329ce58b2f8d1c5d2cc79752026", "e551b081d5079ad7565b5f20a45f276c2f5a6152c1802c0688e15a02e87a74c9", 0)]
    [InlineData("a36b7075626b65792d6861736858248201582072c0b70c2092741a4cfda0c2465487faf132998617b0aad53118aa5d6e180006"
        + "656b65795f304876616c75655f3000656b65795f314876616c75655f3100", "3ef61b935603341747b96c602397da1c4761afe4eeed2cdc08cbf5f4ff61c533", 2)]
    public void Parse_ClaimsOfOtherImplementations_HaveTheDigestThatTheirQuotesHold(string hex, string reportData, int others)
    {
        var claims = DiceClaims.Parse(Convert.FromHexString(hex));
        Assert.Equal(reportData, Convert.ToHexStringLower(claims.Digest()));
        Assert.Equal(others, claims.OtherNames.Length);
        Assert.Null(claims.Nonce);
    }

    [Theory]
    [InlineData(60001UL, "local report")]
    [InlineData(0x1a7504UL, "SEV-SNP")]
    [InlineData(1UL, "not that of an Intel quote")]
    public void Parse_EvidenceOfAnotherKind_IsRefusedWithTheReason(ulong tag, string reason)
    {
        var writer = new CborWriter();
        writer.WriteTag((CborTag)tag);
        writer.WriteStartArray(2);
        writer.WriteByteString(new byte[432]);
        writer.WriteByteString(DiceClaims.Encode(Spki, null));
        writer.WriteEndArray();
        Assert.Contains(reason, Assert.Throws<MalformedDataException>(() => DiceEvidence.Parse(writer.Encode())).Message, StringComparison.Ordinal);
    }

    private static byte[] Padded(byte[] digest) => [.. digest, .. new byte[64 - digest.Length]];

    private static byte[] Claims(ulong algorithm, byte[] hash)
    {
        var entry = new CborWriter();
        entry.WriteStartArray(2);
        entry.WriteUInt64(algorithm);
        entry.WriteByteString(hash);
        entry.WriteEndArray();
        var writer = new CborWriter();
        writer.WriteStartMap(1);
        writer.WriteTextString("pubkey-hash");
        writer.WriteByteString(entry.Encode());
        writer.WriteEndMap();
        return writer.Encode();
    }

    private Verdict Verify(X509Certificate2 certificate) => RaTlsVerifier.Verify(RaTlsEvidence.Read(certificate.RawData), null, _quoter.Options, false);

    private X509Certificate2 Certificate(string oid, byte[] value) => Certificate((oid, value));

    private X509Certificate2 Certificate(params (string Oid, byte[] Value)[] extensions)
    {
        var request = new CertificateRequest("CN=enclave", _key, HashAlgorithmName.SHA256);
        foreach (var (oid, value) in extensions)
            request.CertificateExtensions.Add(new X509Extension(oid, value, critical: false));
        return request.CreateSelfSigned(SimulatedQuoter.Now.AddMinutes(-5), SimulatedQuoter.Now.AddHours(1));
    }
}
