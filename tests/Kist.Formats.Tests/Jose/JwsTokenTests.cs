using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats.Jose;
using Kist.Testing;

namespace Kist.Formats.Tests.Jose;

public sealed class JwsTokenTests
{
    public static TheoryData<string> Vectors()
    {
        using var document = ReadVectors();
        return [.. document.RootElement.EnumerateArray().Select(v => v.GetProperty("name").GetString()!)];
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Verify_PublishedVector_IsGenuineAndEveryChangeIsNot(string name)
    {
        using var document = ReadVectors();
        var vector = document.RootElement.EnumerateArray().Single(v => v.GetProperty("name").GetString() == name);
        var key = JsonWebKey.Parse(vector.GetProperty("key"));
        var text = vector.GetProperty("compact").GetString()!;
        Assert.True(JwsToken.Parse(text).Verify(key));

        for (var i = 0; i < text.Length; i += 7)
        {
            var changed = text.ToCharArray();
            changed[i] = changed[i] == 'A' ? 'Q' : 'A';
            bool accepted;
            try
            {
                accepted = JwsToken.Parse(new string(changed)).Verify(key);
            }
            catch (MalformedDataException)
            {
                accepted = false;
            }

            Assert.False(accepted, $"character {i}");
        }
    }

    [Theory]
    [InlineData(256, "ES256")]
    [InlineData(384, "ES384")]
    [InlineData(521, "ES512")]
    public void Sign_EachCurve_VerifiesWithItsKeyOnly(int bits, string algorithm)
    {
        var curve = bits switch { 256 => ECCurve.NamedCurves.nistP256, 384 => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 };
        using var key = ECDsa.Create(curve);
        using var other = ECDsa.Create(curve);
        var token = JwsToken.Parse(JwsToken.Sign(key, "payload"u8, w => w.WriteString("kid", "one")));
        Assert.Equal(algorithm, token.Algorithm);
        Assert.Equal("one", token.KeyId);
        Assert.Equal("payload"u8.ToArray(), token.Payload.ToArray());
        Assert.True(token.Verify(EcJsonWebKey.FromPublicKey(key, null)));
        Assert.True(token.Verify(EcJsonWebKey.FromPublicKey(key, algorithm)));
        Assert.False(token.Verify(EcJsonWebKey.FromPublicKey(key, "ES999")));
        Assert.False(token.Verify(EcJsonWebKey.FromPublicKey(other, null)));
    }

    [Fact]
    public void Sign_Rsa_Verifies()
    {
        using var key = RSA.Create(2048);
        var token = JwsToken.Parse(JwsToken.Sign(key, "payload"u8));
        Assert.Equal("PS256", token.Algorithm);
        Assert.True(token.Verify(RsaJsonWebKey.FromPublicKey(key, null)));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("ES384")]
    public void Verify_AlgorithmThatDoesNotFitTheKey_IsRefused(string algorithm)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var header = Base64Url.Encode(Encoding.UTF8.GetBytes($$"""{"alg":"{{algorithm}}"}"""));
        Assert.False(JwsToken.Parse($"{header}.AAAA.").Verify(EcJsonWebKey.FromPublicKey(key, null)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("e30")]
    [InlineData("e30.e30")]
    [InlineData("e30.e30.e30")] // no alg
    [InlineData("e30.e30.e30.e30")]
    [InlineData("W10.e30.AAAA")] // the header is an array
    [InlineData("eyJhbGciOiJFUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AAAA")] // crit
    [InlineData("eyJhbGciOiJFUzI1NiIsImFsZyI6Im5vbmUifQ.e30.AAAA")] // alg twice
    [InlineData("eyJhbGciOiJFUzI1NiJ9.e30.A A")]
    public void Parse_NotACompactJws_IsRefused(string text) =>
        Assert.Throws<MalformedDataException>(() => JwsToken.Parse(text));

    private static JsonDocument ReadVectors() =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Evidence.RepositoryRoot, "tests/vectors/jose/rfc7520-4.json")));
}
