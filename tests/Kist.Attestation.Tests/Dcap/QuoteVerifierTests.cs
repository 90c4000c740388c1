using Kist.Attestation.Dcap;
using Kist.Formats;

namespace Kist.Attestation.Tests.Dcap;

public sealed class QuoteVerifierTests
{
    private const string Phala = "tdx/b0c06f-phala/collateral.json";
    private static readonly DateTimeOffset s_time = new(2025, 6, 25, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Verify_RememberedPlatform_DecidesAsTheFullVerifier()
    {
        var options = IntelCorpus.Options("2025-06-25Z", Phala);
        var quote = IntelCorpus.Load("tdx/b0c06f-phala/quote.dat").Bytes;
        var reportData = quote.Slice(48 + 520, 64).ToArray();
        var verifier = new QuoteVerifier(options);
        Assert.True(verifier.Verify(quote, reportData, s_time));
        Assert.True(verifier.Verify(quote, reportData, s_time.AddDays(1)));
        Assert.False(verifier.Verify(quote, new byte[64], s_time));
        Assert.False(verifier.Verify(quote, [], s_time));
        Assert.False(verifier.Verify(quote, new byte[65], s_time));
        Assert.False(verifier.Verify(quote, reportData, s_time.AddDays(60)));
        Assert.True(verifier.Verify(quote, reportData, s_time));
    }

    [Theory]
    [InlineData("tdx/b0c06f-phala/quote.dat", 48 + 520, Phala)]
    [InlineData("sgx/icelake-automata-prod/quote.hex", 48 + 320, Phala, "sgx/icelake-automata-prod/00606a000000-eval17.json", "sgx/icelake-automata-prod/qe3-identity-eval17.json")]
    public void Verify_AnyByteChanged_IsNeverAccepted(string file, int reportDataOffset, params string[] collateral)
    {
        var quote = IntelCorpus.Load(file).Bytes.ToArray();
        var reportData = quote.AsSpan(reportDataOffset, 64).ToArray();
        var verifier = new QuoteVerifier(IntelCorpus.Options("2025-06-25Z", collateral));
        Assert.True(verifier.Verify(quote, reportData, s_time));
        var certification = DcapQuoteReader.Read(quote).CertificationDataOffset;
        for (var i = 0; i < certification; i++)
        {
            quote[i] ^= 0x04;
            try
            {
                Assert.False(verifier.Verify(quote, reportData, s_time), $"byte {i} changed");
            }
            catch (MalformedDataException)
            {
                // As good as a refusal.
            }

            quote[i] ^= 0x04;
        }

        Assert.True(verifier.Verify(quote, reportData, s_time));
    }

    [Fact]
    public void Verify_CutAnywhere_IsMalformed()
    {
        var quote = IntelCorpus.Load("tdx/b0c06f-phala/quote.dat").Bytes;
        var verifier = new QuoteVerifier(IntelCorpus.Options("2025-06-25Z", Phala));
        for (var length = 0; length < quote.Length - 70; length += 7)
        {
            var cut = quote[..length];
            Assert.Throws<MalformedDataException>(() => verifier.Verify(cut, new byte[64], s_time));
        }
    }

    [Fact]
    public void Verify_NewCollateral_ForgetsWhatWasRemembered()
    {
        var quote = IntelCorpus.Load("tdx/b0c06f-phala/quote.dat").Bytes;
        var reportData = quote.Slice(48 + 520, 64).ToArray();
        var key = new DcapCollateralKey("b0c06f000000", PckCa.Platform, "tdx");
        var good = IntelCorpus.Options("2025-06-25Z", Phala).Collateral.FindDcap(key)!;
        var store = new CollateralStore();
        store.Add(key, good);
        var verifier = new QuoteVerifier(new VerificationOptions { Time = s_time, Collateral = store });
        Assert.True(verifier.Verify(quote, reportData, s_time));
        store.Add(key, new DcapCollateral
        {
            TcbInfo = good.TcbInfo,
            TcbInfoIssuerChain = good.TcbInfoIssuerChain,
            QeIdentity = good.QeIdentity,
            QeIdentityIssuerChain = good.QeIdentityIssuerChain,
            PckCrl = good.RootCaCrl,
            RootCaCrl = good.RootCaCrl,
        });
        Assert.False(verifier.Verify(quote, reportData, s_time));
    }

    [Fact]
    public void Verify_RememberedPlatform_AllocatesNothing()
    {
        var quote = IntelCorpus.Load("tdx/b0c06f-phala/quote.dat").Bytes;
        var reportData = quote.Slice(48 + 520, 64).ToArray();
        var verifier = new QuoteVerifier(IntelCorpus.Options("2025-06-25Z", Phala));
        for (var i = 0; i < 100; i++)
            verifier.Verify(quote, reportData, s_time);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50; i++)
            verifier.Verify(quote, reportData, s_time);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Verify_ManyThreads_AgreeAlways()
    {
        var quote = IntelCorpus.Load("tdx/b0c06f-phala/quote.dat").Bytes;
        var reportData = quote.Slice(48 + 520, 64).ToArray();
        var changed = quote.ToArray();
        changed[300] ^= 1;
        var verifier = new QuoteVerifier(IntelCorpus.Options("2025-06-25Z", Phala));
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
            Assert.Equal(i % 3 != 0, verifier.Verify(i % 3 == 0 ? changed : quote, reportData, s_time)));
    }
}
