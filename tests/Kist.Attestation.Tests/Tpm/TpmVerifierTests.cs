using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Attestation.Tpm;
using Kist.Formats;

namespace Kist.Attestation.Tests.Tpm;

public class TpmVerifierTests
{
    private static readonly byte[] s_nonce = SHA384.HashData("nonce"u8);

    [Theory]
    [InlineData("pkcs1")]
    [InlineData("pss")]
    public void Verify_RsaQuoteOfPinnedKey_IsAccepted(string padding)
    {
        using var key = RSA.Create(2048);
        var spki = key.ExportSubjectPublicKeyInfo();
        var message = QuoteMaker.Message(s_nonce, QuoteMaker.Registers, 0, 7, 8, 11);
        var signature = QuoteMaker.Sign(key, message, padding == "pss" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);

        var verdict = Judge(spki, message, signature);

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.Equal([0, 7, 8, 11], Assert.IsType<TpmClaims>(verdict.Claims).Pcrs.Keys);
    }

    [Theory]
    [InlineData("nistP256")]
    [InlineData("nistP384")]
    public void Verify_EcdsaQuoteOfPinnedKey_IsAccepted(string curve)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        var message = QuoteMaker.Message(s_nonce, QuoteMaker.Registers, 11);

        var verdict = Judge(key.ExportSubjectPublicKeyInfo(), message, QuoteMaker.Sign(key, message));

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
    }

    [Fact]
    public void Verify_KeyThatNobodyVouchesFor_IsRefusedUnlessLeftToAPolicy()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var message = QuoteMaker.Message(s_nonce, QuoteMaker.Registers, 11);
        var spki = key.ExportSubjectPublicKeyInfo();
        var evidence = QuoteMaker.Evidence(spki, message, QuoteMaker.Sign(key, message), QuoteMaker.Registers);
        var options = new VerificationOptions { Time = DateTimeOffset.UnixEpoch };

        Assert.Equal("tpm.ak.anchor", EvidenceVerifier.Verify("tpm", evidence, ExpectedBinding.None, options).DecisiveFailure?.Id);
        Assert.True(EvidenceVerifier.Verify("tpm", evidence, ExpectedBinding.None,
            options with { References = [new ReferenceValue("ak_public", [Convert.ToBase64String(spki)])] }).IsAccepted);
        Assert.False(EvidenceVerifier.Verify("tpm", evidence, ExpectedBinding.None,
            options with { References = [new ReferenceValue("ak_public", ["other"])] }).IsAccepted);
        Assert.True(EvidenceVerifier.Verify("tpm", evidence, ExpectedBinding.None,
            options with { Tpm = new TpmPolicy { AllowUnanchoredKey = true } }).IsAccepted);
    }

    [Fact]
    public void Verify_CertifiedKey_IsAcceptedBelowAPinnedRoot()
    {
        using var root = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=TPM root", root, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var rootCertificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        using var certificate = new CertificateRequest("CN=AK", key, HashAlgorithmName.SHA256)
            .Create(rootCertificate, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90), [1]);
        var message = QuoteMaker.Message(s_nonce, QuoteMaker.Registers, 11);
        var evidence = QuoteMaker.Evidence(key.ExportSubjectPublicKeyInfo(), message, QuoteMaker.Sign(key, message), QuoteMaker.Registers,
            certificate.ExportCertificatePem() + "\n" + rootCertificate.ExportCertificatePem());

        var good = EvidenceVerifier.Verify("tpm", evidence, ExpectedBinding.None, QuoteMaker.Pin(root.ExportSubjectPublicKeyInfo()));
        var other = EvidenceVerifier.Verify("tpm", evidence, ExpectedBinding.None, QuoteMaker.Pin([1]));

        Assert.True(good.IsAccepted, VerdictTree.ToText(good));
        Assert.Equal("tpm.ak.anchor", other.DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_ChangedRegister_IsRefusedAndMakesNoClaim()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var message = QuoteMaker.Message(s_nonce, QuoteMaker.Registers, 11);
        var registers = (string[])QuoteMaker.Registers.Clone();
        registers[11] = new string('0', 64);

        var verdict = Judge(key.ExportSubjectPublicKeyInfo(), message, QuoteMaker.Sign(key, message), registers);

        Assert.Equal("tpm.quote.pcrs", verdict.DecisiveFailure?.Id);
        Assert.Empty(Assert.IsType<TpmClaims>(verdict.Claims).Pcrs);
    }

    [Fact]
    public void Verify_InitData_IsExtendedIntoRegister8()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var digest = SHA256.HashData("init-data"u8);
        var registers = (string[])QuoteMaker.Registers.Clone();
        registers[8] = Convert.ToHexStringLower(SHA256.HashData([.. new byte[32], .. digest]));
        var message = QuoteMaker.Message(s_nonce, registers, 8);
        var evidence = QuoteMaker.Evidence(key.ExportSubjectPublicKeyInfo(), message, QuoteMaker.Sign(key, message), registers);
        var options = QuoteMaker.Pin(key.ExportSubjectPublicKeyInfo());

        Assert.True(EvidenceVerifier.Verify("tpm", evidence, new ExpectedBinding(null, digest), options).IsAccepted);
        Assert.Equal("tpm.binding.init_data",
            EvidenceVerifier.Verify("tpm", evidence, new ExpectedBinding(null, new byte[32]), options).DecisiveFailure?.Id);
    }

    [Theory]
    [InlineData("tpm/eventlogs/cos-101-amd-sev.bin", "4:6d9f1a1d461cf77517e8d4c488c53f338a71c5a8e2b81ab7011c14f72cbc9a80", true)]
    [InlineData("tpm/eventlogs/cos-101-amd-sev.bin", "4:7d9f1a1d461cf77517e8d4c488c53f338a71c5a8e2b81ab7011c14f72cbc9a80", false)]
    [InlineData("tpm/eventlogs/debian-10.bin", "4:7d9f1a1d461cf77517e8d4c488c53f338a71c5a8e2b81ab7011c14f72cbc9a80", false)]
    public void Verify_EventLog_MustReplayToTheQuotedRegisters(string file, string register, bool accepted)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var registers = (string[])QuoteMaker.Registers.Clone();
        registers[4] = register[2..];
        var message = QuoteMaker.Message(s_nonce, registers, 4);
        var evidence = new Evidence
        {
            Tee = "tpm",
            Json = QuoteMaker.Evidence(key.ExportSubjectPublicKeyInfo(), message, QuoteMaker.Sign(key, message), registers),
            EventLog = Testing.Evidence.Read(file),
        };

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, QuoteMaker.Pin(key.ExportSubjectPublicKeyInfo()));

        Assert.Equal(accepted, verdict.IsAccepted);
        Assert.Equal(accepted, Assert.IsType<TpmClaims>(verdict.Claims).EventLog is not null);
    }

    [Fact]
    public void Verify_AttestationOfGoTpmTools_IsAcceptedWithItsKeyPinned()
    {
        var bytes = Testing.Evidence.Read("tpm/gce/gce-cos-85-nonce9009.pb");
        var detected = EvidenceDetector.Detect(bytes).Evidence;
        var options = QuoteMaker.Pin(TpmEvidence.Read(detected).AttestationKey.ToArray());

        var verdict = EvidenceVerifier.Verify(detected, new ExpectedBinding(new byte[] { 0x90, 0x09 }, null), options);

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.NotNull(Assert.IsType<TpmClaims>(verdict.Claims).EventLog);
        Assert.Equal("tpm.binding.report_data", EvidenceVerifier.Verify(detected, new ExpectedBinding(new byte[] { 0x90, 0x08 }, null), options).DecisiveFailure?.Id);
        Robustness.NoPrefixIsRead(bytes, b => TpmEvidence.Read(new Evidence { Tee = "tpm", Bytes = b }), step: 101);
    }

    [Fact]
    public void Parse_EveryByteAndLength_ThrowsOnlyMalformedData()
    {
        var message = QuoteMaker.Message(s_nonce, QuoteMaker.Registers, 0, 11);
        for (var length = 0; length < message.Length; length++)
            Assert.Throws<MalformedDataException>(() => TpmQuoteReader.Parse(message.AsSpan(0, length)));
        Assert.Throws<MalformedDataException>(() => TpmQuoteReader.Parse([.. message, 0]));
        message[5] = 0x17;
        Assert.Throws<MalformedDataException>(() => TpmQuoteReader.Parse(message));
    }

    [Fact]
    public void Verify_CapturedQuote_IsAcceptedWithItsKeyPinnedAndNoOtherByte()
    {
        using var document = JsonDocument.Parse(Testing.Evidence.Read("tpm/trustee/tpm_evidence.json"));
        var json = document.RootElement.Clone();
        var options = QuoteMaker.Pin(json.GetProperty("ak_public").GetBytesFromBase64());
        var extra = TpmQuoteReader.Parse(json.GetProperty("tpm_quote").GetProperty("message").GetBytesFromBase64()).ExtraData;
        var binding = new ExpectedBinding(extra[..48], null);

        var verdict = EvidenceVerifier.Verify("tpm", json, binding, options);

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        NoChangedMessageIsAccepted(json, options);
        Robustness.NoDamagedJsonThrows("tpm", json, options);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    private static void NoChangedMessageIsAccepted(JsonElement json, VerificationOptions options)
    {
        var spki = json.GetProperty("ak_public").GetBytesFromBase64();
        var quote = json.GetProperty("tpm_quote");
        string[] registers = [.. quote.GetProperty("pcrs").EnumerateArray().Select(p => p.GetString()!)];
        var (message, signature) = (quote.GetProperty("message").GetBytesFromBase64(), quote.GetProperty("signature").GetBytesFromBase64());
        foreach (var bytes in new[] { message, signature })
        {
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] ^= 1;
                var changed = new Evidence { Tee = "tpm", Json = QuoteMaker.Evidence(spki, message, signature, registers) };
                Assert.False(Robustness.IsAccepted(changed, options), $"accepted with byte {i} changed");
                bytes[i] ^= 1;
            }
        }
    }

    private static Verdict Judge(byte[] spki, byte[] message, byte[] signature, string[]? registers = null) => EvidenceVerifier.Verify(
        "tpm", QuoteMaker.Evidence(spki, message, signature, registers ?? QuoteMaker.Registers),
        new ExpectedBinding(s_nonce, null), QuoteMaker.Pin(spki));
}
