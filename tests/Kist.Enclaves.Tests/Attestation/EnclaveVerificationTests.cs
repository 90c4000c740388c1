using System.Security.Cryptography;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Attestation;

public sealed class EnclaveVerificationTests : IDisposable
{
    private static readonly byte[] s_key = ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportSubjectPublicKeyInfo();
    private static readonly byte[] s_nonce = SHA256.HashData("nonce"u8);

    private readonly SimulatedQuoter _quoter = new();

    public void Dispose() => _quoter.Dispose();

    [Fact]
    public async Task Verify_ExpectedEnclave_IsAcceptedAndSaysThatItIsSimulated()
    {
        var result = Verify(await EvidenceAsync(_quoter), new EnclaveReference { MrEnclave = [_quoter.MrEnclave] });
        Assert.True(result.IsAccepted, result.Reason);
        Assert.True(result.Verdict.IsSimulated);
        var bySigner = new EnclaveReference { MrSigner = [_quoter.MrSigner], Product = 3, MinimumVersion = 4 };
        Assert.True(Verify(await EvidenceAsync(_quoter), bySigner).IsAccepted);
    }

    [Fact]
    public async Task Verify_SimulatedNotAllowed_IsRefused()
    {
        var result = EnclaveVerification.Verify(
            await EvidenceAsync(_quoter), s_key, s_nonce, new EnclaveReference { MrEnclave = [_quoter.MrEnclave] }, _quoter.Options with { AllowSimulated = false });
        Assert.False(result.IsAccepted);
    }

    [Fact]
    public async Task Verify_AnotherEnclaveSignerProductOrVersion_IsRefused()
    {
        var evidence = await EvidenceAsync(_quoter);
        var zeros = new string('0', 64);
        Assert.False(Verify(evidence, new EnclaveReference { MrEnclave = [zeros] }).IsAccepted);
        Assert.False(Verify(evidence, new EnclaveReference { MrSigner = [zeros], Product = 3, MinimumVersion = 4 }).IsAccepted);
        Assert.False(Verify(evidence, new EnclaveReference { MrSigner = [_quoter.MrSigner], Product = 4, MinimumVersion = 4 }).IsAccepted);
        Assert.False(Verify(evidence, new EnclaveReference { MrSigner = [_quoter.MrSigner], Product = 3, MinimumVersion = 5 }).IsAccepted);
    }

    [Fact]
    public async Task Verify_DebugEnclave_IsRefusedUnlessAllowed()
    {
        using var debug = new SimulatedQuoter(debug: true);
        var evidence = await EvidenceAsync(debug);
        var reference = new EnclaveReference { MrEnclave = [debug.MrEnclave] };
        Assert.False(EnclaveVerification.Verify(evidence, s_key, s_nonce, reference, debug.Options).IsAccepted);
        Assert.True(EnclaveVerification.Verify(evidence, s_key, s_nonce, reference, debug.Options with { AllowDebug = true }).IsAccepted);
    }

    [Fact]
    public async Task Verify_OtherKeyOrNonce_IsRefused()
    {
        var evidence = await EvidenceAsync(_quoter);
        var reference = new EnclaveReference { MrEnclave = [_quoter.MrEnclave] };
        var other = ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportSubjectPublicKeyInfo();
        Assert.Contains("another key", EnclaveVerification.Verify(evidence, other, s_nonce, reference, _quoter.Options).Reason, StringComparison.Ordinal);
        Assert.Contains("another challenge", EnclaveVerification.Verify(evidence, s_key, new byte[32], reference, _quoter.Options).Reason, StringComparison.Ordinal);
        var unchallenged = await EvidenceAsync(_quoter, withNonce: false);
        Assert.Contains("no nonce", EnclaveVerification.Verify(unchallenged, s_key, s_nonce, reference, _quoter.Options).Reason, StringComparison.Ordinal);
    }

    /// <summary>The claims, and with them key and nonce, are bound by the quote: exchanging them is noticed.</summary>
    [Fact]
    public async Task Verify_ClaimsExchanged_IsRefused()
    {
        var quote = (await EvidenceAsync(_quoter)).Quote;
        var attacker = ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportSubjectPublicKeyInfo();
        var forged = DiceEvidence.Parse(DiceEvidence.Encode(quote.Span, DiceClaims.Encode(attacker, s_nonce)));
        var result = EnclaveVerification.Verify(
            forged, attacker, s_nonce, new EnclaveReference { MrEnclave = [_quoter.MrEnclave] }, _quoter.Options);
        Assert.False(result.IsAccepted);
        Assert.Equal("sgx.binding.report_data", Assert.Single(result.Verdict.Findings, f => f.Outcome == FindingOutcome.Fail).Id);
    }

    [Fact]
    public async Task Verify_AnyTamperedQuoteByteOfTheReport_IsRefused()
    {
        var claims = DiceClaims.Encode(s_key, s_nonce);
        var quote = await _quoter.QuoteAsync(SHA256.HashData(claims), TestContext.Current.CancellationToken);
        for (var offset = 48; offset < 432; offset += 7)
        {
            var bad = (byte[])quote.Clone();
            bad[offset] ^= 1;
            try
            {
                Assert.False(Verify(DiceEvidence.Parse(DiceEvidence.Encode(bad, claims)), new EnclaveReference { MrEnclave = [_quoter.MrEnclave] }).IsAccepted);
            }
            catch (MalformedDataException)
            {
            }
        }
    }

    [Fact]
    public void ToReferenceValues_NothingExpected_IsRefused()
    {
        Assert.Throws<MalformedDataException>(() => new EnclaveReference().ToReferenceValues());
        Assert.Throws<MalformedDataException>(() => new EnclaveReference { MrSigner = [new string('a', 64)] }.ToReferenceValues());
        Assert.Throws<MalformedDataException>(() => new EnclaveReference { MrEnclave = ["abc"] }.ToReferenceValues());
    }

    [Fact]
    public async Task Parse_EvidenceTruncatedAnywhere_IsRefused()
    {
        var claims = DiceClaims.Encode(s_key, s_nonce);
        var whole = DiceEvidence.Encode(await _quoter.QuoteAsync(SHA256.HashData(claims), TestContext.Current.CancellationToken), claims);
        for (var length = 0; length < whole.Length; length += length < 16 ? 1 : 101)
            Assert.Throws<MalformedDataException>(() => DiceEvidence.Parse(whole.AsMemory(0, length)));
        Assert.Throws<MalformedDataException>(() => DiceEvidence.Parse(whole.Append((byte)0).ToArray()));
    }

    /// <summary>Tag 60000 is head 0xd9 ea60; then an array of two byte strings (RFC 8949).</summary>
    [Fact]
    public void Encode_Evidence_HasTheBytesOfTheFormat()
    {
        Assert.Equal("d9ea608241014102", Convert.ToHexStringLower(DiceEvidence.Encode([1], [2])));
        var claims = DiceClaims.Encode([1, 2, 3], null);
        Assert.Equal(
            "a16b7075626b65792d68617368582482015820" + Convert.ToHexStringLower(SHA256.HashData([1, 2, 3])), Convert.ToHexStringLower(claims));
    }

    private EnclaveVerification Verify(DiceEvidence evidence, EnclaveReference reference) =>
        EnclaveVerification.Verify(evidence, s_key, s_nonce, reference, _quoter.Options);

    private static async Task<DiceEvidence> EvidenceAsync(SimulatedQuoter quoter, bool withNonce = true)
    {
        var claims = DiceClaims.Encode(s_key, withNonce ? s_nonce : default(ReadOnlyMemory<byte>?));
        return DiceEvidence.Parse(DiceEvidence.Encode(await quoter.QuoteAsync(SHA256.HashData(claims), TestContext.Current.CancellationToken), claims));
    }
}
