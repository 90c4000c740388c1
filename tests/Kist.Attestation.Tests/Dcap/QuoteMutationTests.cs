using CsCheck;
using Kist.Formats;

namespace Kist.Attestation.Tests.Dcap;

/// <summary>No change to a good quote is accepted, and no input makes the verifier throw anything but its own exception.</summary>
public sealed class QuoteMutationTests
{
    private const string Phala = "tdx/b0c06f-phala/collateral.json";

    public static TheoryData<string, string[]> Accepted => new()
    {
        { "tdx/b0c06f-phala/quote.dat", [Phala] },
        { "sgx/icelake-automata-prod/quote.hex", ["sgx/icelake-automata-prod/00606a000000-eval17.json", "sgx/icelake-automata-prod/qe3-identity-eval17.json", Phala] },
    };

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Verify_AnyByteChanged_IsNeverAccepted(string file, string[] collateral)
    {
        var options = IntelCorpus.Options("2025-06-25Z", collateral);
        var good = IntelCorpus.Load(file);
        Assert.True(EvidenceVerifier.Verify(good, ExpectedBinding.None, options).IsAccepted);
        var quote = Kist.Attestation.Dcap.DcapQuoteReader.Read(good.Bytes);
        var stated = good.Bytes.Length - quote.TrailingBytes;
        var certification = quote.CertificationDataOffset;
        for (var i = 0; i < stated; i++)
        {
            // PEM text around and between the certificates may change without changing them; every fifth byte suffices there.
            if (i >= certification && (i % 5 != 0 || !ChangesCertificates(quote.CertificationData, i - certification)))
                continue;
            var changed = good.Bytes.ToArray();
            changed[i] ^= 1;
            try
            {
                Assert.False(EvidenceVerifier.Verify(good with { Bytes = changed }, ExpectedBinding.None, options).IsAccepted, $"byte {i} changed");
            }
            catch (MalformedDataException)
            {
                // As good as a refusal.
            }
        }
    }

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Verify_CutAnywhere_IsMalformed(string file, string[] collateral)
    {
        var options = IntelCorpus.Options("2025-06-25Z", collateral);
        var good = IntelCorpus.Load(file);
        var stated = good.Bytes.Length - Kist.Attestation.Dcap.DcapQuoteReader.Read(good.Bytes).TrailingBytes;
        for (var length = 0; length < stated; length++)
        {
            var cut = good with { Bytes = good.Bytes[..length] };
            Assert.Throws<MalformedDataException>(() => EvidenceVerifier.Verify(cut, ExpectedBinding.None, options));
        }
    }

    [Fact]
    public void Verify_RandomBytesAfterAQuoteHeader_NeverThrowAnythingElse()
    {
        var start = IntelCorpus.Load("tdx/b0c06f-phala/quote.dat").Bytes[..48].ToArray();
        var options = IntelCorpus.Options("2025-06-25Z");
        Gen.Byte.Array[0, 2048].Sample(
            tail =>
            {
                try
                {
                    return !EvidenceVerifier.Verify(new Evidence { Tee = "tdx", Bytes = (byte[])[.. start, .. tail] }, ExpectedBinding.None, options).IsAccepted;
                }
                catch (MalformedDataException)
                {
                    return true;
                }
            },
            iter: 500);
    }

    private static bool ChangesCertificates(ReadOnlyMemory<byte> pem, int index)
    {
        var changed = pem.ToArray();
        changed[index] ^= 1;
        try
        {
            var before = Kist.Attestation.X509.PemReader.ReadCertificates(pem);
            var after = Kist.Attestation.X509.PemReader.ReadCertificates(changed);
            return !before.Select(c => Convert.ToHexString(c.Raw.Span)).SequenceEqual(after.Select(c => Convert.ToHexString(c.Raw.Span)));
        }
        catch (MalformedDataException)
        {
            return true;
        }
    }
}
