using System.Security.Cryptography;
using System.Text;
using Kist.Formats.Jose;

namespace Kist.Formats.Tests.Jose;

public sealed class JsonWebKeyTests
{
    private const string X = "ANbJDpVEC_bNPvuKERn1FkQMSuPWEzIQ7Y-kl3K0yEo";
    private const string Y = "eba_t8dP5Et0TPv0jdtCWba8l78-lTtyJSwWq0q0IQA";

    [Fact]
    public void ToString_UnknownAndPrivateMembers_AreNotWritten()
    {
        var key = JsonWebKey.Parse(Encoding.UTF8.GetBytes(
            $$"""{"kty":"EC","d":"AAAA","use":"sig","crv":"P-256","alg":"ECDH-ES+A256KW","x":"{{X}}","y":"{{Y}}"}"""));
        Assert.Equal($$"""{"alg":"ECDH-ES+A256KW","crv":"P-256","kty":"EC","x":"{{X}}","y":"{{Y}}"}""", key.ToString());
    }

    [Theory]
    [InlineData("P-256", 256)]
    [InlineData("P-384", 384)]
    [InlineData("P-521", 521)]
    public void FromPublicKey_EachCurve_ParsesBack(string curve, int bits)
    {
        using var key = ECDsa.Create(bits switch
        {
            256 => ECCurve.NamedCurves.nistP256,
            384 => ECCurve.NamedCurves.nistP384,
            _ => ECCurve.NamedCurves.nistP521,
        });
        var text = EcJsonWebKey.FromPublicKey(key, null).ToString();
        var parsed = Assert.IsType<EcJsonWebKey>(JsonWebKey.Parse(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(curve, parsed.Curve);
        Assert.Equal(key.ExportParameters(false).Q.X, parsed.X.ToArray());
    }

    [Theory]
    [InlineData("P-256", "AA", Y)] // too short
    [InlineData("P-256", "AAAA" + X, Y)] // too long
    [InlineData("P-384", X, Y)]
    [InlineData("secp256k1", X, Y)]
    [InlineData("P-256", X + "=", Y)]
    public void Parse_CoordinateOfAnotherSize_IsRefused(string curve, string x, string y) =>
        Assert.Throws<MalformedDataException>(() => new EcJsonWebKey(curve, x, y, null));

    [Fact]
    public void CreateECDiffieHellman_PointOffTheCurve_IsRefused()
    {
        var key = new EcJsonWebKey("P-256", X, X, null);
        Assert.Throws<MalformedDataException>(() => key.CreateECDiffieHellman());
        Assert.Throws<MalformedDataException>(() => JweEncryption.EncryptFlattened([1], key));
    }

    [Theory]
    [InlineData("P-256")]
    [InlineData("P-384")]
    [InlineData("P-521")]
    public void CheckPoint_AnyPoint_IsJudgedAsTheImportJudgesIt(string curve)
    {
        for (var i = 0; i < 20; i++)
        {
            using var key = ECDiffieHellman.Create(CurveOf(curve));
            var q = key.ExportParameters(false).Q;
            Key(curve, q.X!, q.Y!).CheckPoint();
            // Any bit that is turned over leaves the curve; the import says the same.
            var (x, y) = (q.X!.ToArray(), q.Y!.ToArray());
            var at = Random.Shared.Next(2 * 8 * (x.Length - 2));
            (at % 2 == 0 ? x : y)[^(1 + (at / 2 / 8))] ^= (byte)(1 << (at / 2 % 8));
            Assert.Throws<MalformedDataException>(Key(curve, x, y).CheckPoint);
            Assert.Throws<MalformedDataException>(() => Key(curve, x, y).CreateECDiffieHellman().Dispose());
        }
    }

    [Theory]
    [InlineData("P-256", 32)]
    [InlineData("P-384", 48)]
    [InlineData("P-521", 66)]
    public void CheckPoint_ZeroOrNotReduced_IsRefused(string curve, int size)
    {
        Assert.Throws<MalformedDataException>(Key(curve, new byte[size], new byte[size]).CheckPoint);
        // A point whose y is p too large satisfies the equation, and is no valid encoding.
        using var key = ECDiffieHellman.Create(CurveOf(curve));
        var q = key.ExportParameters(false).Q;
        var prime = System.Numerics.BigInteger.Parse("0" + (curve switch
        {
            "P-256" => "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
            "P-384" => "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
            _ => "1ff" + new string('f', 128),
        }), System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Throws<MalformedDataException>(Key(curve, prime.ToByteArray(isUnsigned: true, isBigEndian: true), q.Y!).CheckPoint);
        Assert.Throws<MalformedDataException>(Key(curve, Enumerable.Repeat((byte)0xff, size).ToArray(), q.Y!).CheckPoint);
    }

    private static EcJsonWebKey Key(string curve, byte[] x, byte[] y) => new(curve, Base64Url.Encode(x), Base64Url.Encode(y), null);

    private static ECCurve CurveOf(string name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        _ => ECCurve.NamedCurves.nistP521,
    };

    [Theory]
    [InlineData("AQ")] // 1
    [InlineData("Ag")] // even
    [InlineData("AAEAAQ")] // leading zero
    [InlineData("")]
    public void Parse_UnfitRsaExponent_IsRefused(string exponent)
    {
        using var rsa = RSA.Create(2048);
        var n = Base64Url.Encode(rsa.ExportParameters(false).Modulus);
        Assert.Throws<MalformedDataException>(() => new RsaJsonWebKey(n, exponent, null));
    }

    [Fact]
    public void Parse_ShortRsaModulus_IsRefused()
    {
        using var rsa = RSA.Create(1024);
        Assert.Throws<MalformedDataException>(() => RsaJsonWebKey.FromPublicKey(rsa, null));
    }

    [Theory]
    [InlineData("""{"kty":"oct","k":"AAAA"}""")]
    [InlineData("""{"crv":"P-256"}""")]
    [InlineData("""{"kty":5}""")]
    [InlineData("""[]""")]
    [InlineData("""{"kty":"EC","kty":"RSA"}""")]
    [InlineData("""{"kty":"\ud800"}""")]
    public void Parse_NotAPublicKey_IsRefused(string json) =>
        Assert.Throws<MalformedDataException>(() => JsonWebKey.Parse(Encoding.UTF8.GetBytes(json)));
}
