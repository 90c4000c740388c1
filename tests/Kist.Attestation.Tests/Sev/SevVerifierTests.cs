using System.Security.Cryptography;
using Kist.Attestation.Sev;
using Kist.Formats;

namespace Kist.Attestation.Tests.Sev;

public class SevVerifierTests
{
    private static readonly VerificationOptions s_options = new() { Time = DateTimeOffset.UnixEpoch.AddYears(50) };

    [Fact]
    public void Verify_NaplesChain_IsAccepted()
    {
        var verdict = EvidenceVerifier.Verify(Chain(), ExpectedBinding.None, s_options);

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.Equal("sev", EvidenceDetector.Detect(Chain().Bytes).Evidence.Tee);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Theory]
    [InlineData("naples")]
    [InlineData("milan")]
    [InlineData("genoa")]
    public void Parse_AmdsAuthorities_SignEachOtherAndArePinned(string product)
    {
        var ark = AmdCaCertificate.Parse(Read($"{product}-ark"));
        var ask = AmdCaCertificate.Parse(Read($"{product}-ask"));

        Assert.True(ark.IsSignedBy(ark));
        Assert.True(ask.IsSignedBy(ark));
        Assert.NotNull(VendorAnchors.All.Find("amd", SHA256.HashData(ark.Key!.SubjectPublicKeyInfo)));
    }

    [Fact]
    public void Parse_DamagedRoot_IsRefused() => Assert.Throws<MalformedDataException>(() => AmdCaCertificate.Parse(Read("naples-ark-bad")));

    [Fact]
    public void Verify_ChainWithoutAmdsCertificates_IsRefused()
    {
        var bytes = Chain().Bytes[..(4 * SevCertificate.Size)];

        var verdict = EvidenceVerifier.Verify(new Evidence { Tee = "sev", Bytes = bytes }, ExpectedBinding.None, s_options);

        Assert.Equal("sev.chain.anchor", verdict.DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_RequestToBind_IsRefused() => Assert.Equal("sev.binding", EvidenceVerifier.Verify(
        Chain(), new ExpectedBinding(new byte[48], null), s_options).DecisiveFailure?.Id);

    [Fact]
    public void Verify_ChangedCutOrNoisyChain_IsNeverAccepted()
    {
        var chain = Chain();
        var bytes = chain.Bytes.ToArray();
        for (var i = 0; i < bytes.Length; i += 7)
        {
            if (IsUnusedSignature(i))
                continue;
            bytes[i] ^= 0x10;
            Assert.False(Robustness.IsAccepted(new Evidence { Tee = "sev", Bytes = bytes }, s_options), $"accepted with byte {i} changed");
            bytes[i] ^= 0x10;
        }

        Robustness.NoPrefixIsAccepted(chain, s_options, step: 97);
        Robustness.NoiseIsRefused("sev", chain.Bytes, s_options);
    }

    // RFC 2104 over the fields of the specification, computed apart with openssl:
    // printf 0400180d00000000<32 x 11><16 x 22> | xxd -r -p | openssl dgst -sha256 -mac hmac -macopt hexkey:<16 x 33>
    [Fact]
    public void Compute_LaunchMeasure_IsTheHmacOfItsFields()
    {
        var (digest, nonce, key) = (Enumerable.Repeat((byte)0x11, 32).ToArray(), Enumerable.Repeat((byte)0x22, 16).ToArray(), Enumerable.Repeat((byte)0x33, 16).ToArray());
        var measure = Convert.FromHexString("65819b8a0e8c4e31fd46dc8152b8292603437639a6ef07c3cec288735b300b1a");

        Assert.True(SevLaunchMeasure.Verify(measure, key, new Version(0, 24, 13), 0, digest, nonce));
        Assert.False(SevLaunchMeasure.Verify(measure, key, new Version(0, 24, 13), 1, digest, nonce));
        Assert.False(SevLaunchMeasure.Verify(measure, key, new Version(0, 24, 14), 0, digest, nonce));
    }

    // PDH, OCA and CEK have one signature: what stands in the other's place is not signed and not read.
    private static bool IsUnusedSignature(int offset) =>
        offset < 4 * SevCertificate.Size && offset / SevCertificate.Size != 1 && offset % SevCertificate.Size >= 0x61C;

    private static Evidence Chain() => new()
    {
        Tee = "sev",
        Bytes = new[] { "pdh", "pek", "oca", "cek", "ask", "ark" }.SelectMany(n => Read($"naples-{n}").ToArray()).ToArray(),
    };

    private static ReadOnlyMemory<byte> Read(string name) => Testing.Evidence.Read($"sev-legacy/{name}.cert");
}
