using System.Security.Cryptography;
using Kist.Attestation.Dcap;
using Kist.Attestation.RaTls;
using Kist.Attestation.Sgx;
using Kist.Enclaves.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Attestation;

/// <summary>Quotes made up by the layout of Intel's header; the service that could have signed real ones is gone.</summary>
public sealed class EpidQuoteTests
{
    private static byte[] Sample(ushort version = 2, ushort type = 1)
    {
        var quote = new byte[EpidQuote.HeaderSize + 680];
        quote[0] = (byte)version;
        quote[2] = (byte)type;
        quote.AsSpan(4, 4).Fill(0xab);
        quote.AsSpan(48 + 64, 32).Fill(0x11);
        BitConverter.TryWriteBytes(quote.AsSpan(432), 680);
        return quote;
    }

    [Fact]
    public void Parse_Quote_HasItsFields()
    {
        var quote = EpidQuote.Parse(Sample());
        Assert.True(quote is { Version: 2, IsLinkable: true, Group: 0xabababab });
        Assert.Equal(new string('1', 64), Convert.ToHexString(quote.Report.MrEnclave.Span));
    }

    [Fact]
    public void Parse_TruncatedAnywhereOrLonger_IsMalformed()
    {
        var quote = Sample();
        for (var length = 0; length < quote.Length; length += 13)
            Assert.Throws<MalformedDataException>(() => EpidQuote.Parse(quote.AsMemory(0, length)));
        Assert.Throws<MalformedDataException>(() => EpidQuote.Parse((byte[])[.. quote, 0]));
        Assert.Throws<MalformedDataException>(() => EpidQuote.Parse(Sample(version: 3)));
        Assert.Throws<MalformedDataException>(() => EpidQuote.Parse(Sample(type: 2)));
    }

    [Fact]
    public void Read_AsAQuote_IsRefusedWithTheReason()
    {
        var refused = Assert.Throws<MalformedDataException>(() => DcapQuoteReader.Read(Sample()));
        Assert.Contains("EPID quote (version 2, linkable, group abababab)", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Intel has shut the service down", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_RaTlsEvidenceWithAnEpidQuote_IsNotAccepted()
    {
        using var quoter = new SimulatedQuoter();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = key.ExportSubjectPublicKeyInfo();
        var evidence = DiceEvidence.Parse(DiceEvidence.Encode(Sample(), DiceClaims.Encode(spki, nonce: null)));
        var refused = Assert.Throws<MalformedDataException>(() => EnclaveVerification.Verify(
            evidence, spki, null, new EnclaveReference { MrEnclave = [new string('1', 64)] }, quoter.Options));
        Assert.Contains("EPID", refused.Message, StringComparison.Ordinal);
    }
}
