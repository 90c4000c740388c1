using System.Security.Cryptography;
using Kist.Formats.Jose;

namespace Kist.Formats.Tests.Jose;

public sealed class KeyVectorTests
{
    [Theory] // RFC 3394 sections 4.1 and 4.6
    [InlineData("000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF", "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")]
    [InlineData(
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")]
    public void AesKeyWrap_PublishedVector_IsReproduced(string kek, string key, string wrapped)
    {
        var (kekBytes, keyBytes) = (Convert.FromHexString(kek), Convert.FromHexString(key));
        Assert.Equal(wrapped, Convert.ToHexString(AesKeyWrap.Wrap(kekBytes, keyBytes)));
        using var unwrapped = AesKeyWrap.Unwrap(kekBytes, Convert.FromHexString(wrapped));
        Assert.Equal(key, Convert.ToHexString(unwrapped!.Span));
    }

    [Fact]
    public void AesKeyWrap_AnyBitFlippedOrOtherLength_IsRefused()
    {
        var kek = new byte[32];
        var wrapped = AesKeyWrap.Wrap(kek, new byte[32]);
        for (var bit = 0; bit < wrapped.Length * 8; bit++)
        {
            wrapped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(AesKeyWrap.Unwrap(kek, wrapped));
            wrapped[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (var length = 0; length < wrapped.Length; length++)
            Assert.Null(AesKeyWrap.Unwrap(kek, wrapped.AsSpan(0, length)));
    }

    [Fact] // RFC 7518 appendix C
    public void ConcatKdf_PublishedVector_IsReproduced()
    {
        using var alice = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            D = Base64Url.Decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo", 32, "d"),
            Q = new ECPoint
            {
                X = Base64Url.Decode("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", 32, "x"),
                Y = Base64Url.Decode("SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps", 32, "y"),
            },
        });
        var bob = new EcJsonWebKey(
            "P-256", "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck", null);
        using var bobKey = bob.CreateECDiffieHellman();
        var derived = new byte[16];
        ConcatKdf.DeriveSha256(alice.DeriveRawSecretAgreement(bobKey.PublicKey), "A128GCM", "Alice"u8, "Bob"u8, derived);
        Assert.Equal("VqqN6vgjbSBcIijNcacQGg", Base64Url.Encode(derived));
    }

    [Fact] // RFC 7638 section 3.1
    public void Thumbprint_PublishedVector_IsReproduced()
    {
        var key = JsonWebKey.Parse(
            """
            {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}
            """u8);
        Assert.Equal("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", key.Thumbprint());
    }
}
