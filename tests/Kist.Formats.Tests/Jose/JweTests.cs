using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Formats.Jose;
using Kist.Testing;

namespace Kist.Formats.Tests.Jose;

public sealed class JweTests
{
    private static readonly byte[] Plaintext = "the key of the image"u8.ToArray();

    public static TheoryData<string> Curves => ["P-256", "P-384", "P-521"];

    [Fact] // RFC 7520 section 5.4
    public void Decrypt_PublishedVector_GivesItsPlaintext()
    {
        using var vector = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Evidence.RepositoryRoot, "tests/vectors/jose/rfc7520-5.4.json")));
        var key = vector.RootElement.GetProperty("key");
        byte[] Member(string name) => Base64Url.Decode(key.GetProperty(name).GetString(), 48, name);
        using var privateKey = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP384,
            Q = new ECPoint { X = Member("x"), Y = Member("y") },
            D = Member("d"),
        });
        var message = JweMessage.Parse(Encoding.UTF8.GetBytes(vector.RootElement.GetProperty("flattened").GetRawText()));
        using var plaintext = message.Decrypt(privateKey);
        Assert.Equal(vector.RootElement.GetProperty("plaintext").GetString(), Encoding.UTF8.GetString(plaintext.Span));
        Assert.Equal("peregrin.took@tuckborough.example", message.Recipients[0].KeyId);
    }

    [Theory]
    [MemberData(nameof(Curves))]
    public void EncryptFlattened_EachCurve_HasTheExactHeaderThatGuestsRewrite(string curve)
    {
        using var key = CreateKey(curve);
        var jwe = JweEncryption.EncryptFlattened(Plaintext, EcJsonWebKey.FromPublicKey(key, "ECDH-ES+A256KW"));
        using var document = JsonDocument.Parse(jwe);
        Assert.Equal(
            ["protected", "encrypted_key", "iv", "ciphertext", "tag"], document.RootElement.EnumerateObject().Select(m => m.Name));
        Assert.Equal(40, Base64Url.DecodedLength(document.RootElement.GetProperty("encrypted_key").GetString()!.Length));
        var header = Encoding.UTF8.GetString(Base64Url.Decode(document.RootElement.GetProperty("protected").GetString(), 4096, "protected"));
        using var parsedHeader = JsonDocument.Parse(header);
        var epk = parsedHeader.RootElement.GetProperty("epk");
        // Member by member as the guest's serde writes it: a plain plus sign, no white space, epk sorted by name.
        Assert.Equal(
            $$$"""{"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":{"crv":"{{{curve}}}","kty":"EC","x":"{{{epk.GetProperty("x").GetString()}}}","y":"{{{epk.GetProperty("y").GetString()}}}"}}""",
            header);
        using var plaintext = JweMessage.Parse(jwe).Decrypt(key);
        Assert.Equal(Plaintext, plaintext.Span.ToArray());
    }

    [Theory]
    [InlineData("RSA-OAEP-256")]
    [InlineData("RSA-OAEP")]
    public void EncryptFlattened_Rsa_DecryptsWithItsKeyOnly(string algorithm)
    {
        using var key = RSA.Create(2048);
        using var other = RSA.Create(2048);
        var message = JweMessage.Parse(JweEncryption.EncryptFlattened(Plaintext, RsaJsonWebKey.FromPublicKey(key, algorithm)));
        Assert.Equal(algorithm, message.Recipients[0].Algorithm);
        using var plaintext = message.Decrypt(key);
        Assert.Equal(Plaintext, plaintext.Span.ToArray());
        Assert.ThrowsAny<CryptographicException>(() => message.Decrypt(other));
        using var ec = CreateKey("P-256");
        Assert.ThrowsAny<CryptographicException>(() => message.Decrypt(ec));
    }

    [Fact]
    public void EncryptFlattened_EmptyPlaintext_Decrypts()
    {
        using var key = CreateKey("P-256");
        using var plaintext = JweMessage.Parse(JweEncryption.EncryptFlattened([], EcJsonWebKey.FromPublicKey(key, null))).Decrypt(key);
        Assert.Equal(0, plaintext.Length);
    }

    [Theory]
    [InlineData("RSA1_5")]
    [InlineData("dir")]
    [InlineData("ECDH-ES")]
    [InlineData("ES256")]
    public void EncryptFlattened_UnsupportedAlgorithm_IsRefused(string algorithm)
    {
        using var rsa = RSA.Create(2048);
        using var ec = CreateKey("P-256");
        Assert.Throws<MalformedDataException>(() => JweEncryption.EncryptFlattened(Plaintext, RsaJsonWebKey.FromPublicKey(rsa, algorithm)));
        Assert.Throws<MalformedDataException>(() => JweEncryption.EncryptFlattened(Plaintext, EcJsonWebKey.FromPublicKey(ec, algorithm)));
    }

    [Fact]
    public void EncryptGeneral_ThreeRecipients_EachDecrypts()
    {
        using var rsa = RSA.Create(2048);
        using var rsa2 = RSA.Create(2048);
        using var ec = CreateKey("P-256");
        using var stranger = CreateKey("P-256");
        var message = JweMessage.Parse(JweEncryption.EncryptGeneral(
            Plaintext,
            [RsaJsonWebKey.FromPublicKey(rsa2, "RSA-OAEP-256"), RsaJsonWebKey.FromPublicKey(rsa, "RSA-OAEP"), EcJsonWebKey.FromPublicKey(ec, null)]));
        Assert.Equal(["RSA-OAEP-256", "RSA-OAEP", "ECDH-ES+A256KW"], message.Recipients.Select(r => r.Algorithm));
        using var byRsa = message.Decrypt(rsa);
        using var byEc = message.Decrypt(ec);
        Assert.Equal(Plaintext, byRsa.Span.ToArray());
        Assert.Equal(Plaintext, byEc.Span.ToArray());
        Assert.ThrowsAny<CryptographicException>(() => message.Decrypt(stranger));
    }

    [Theory]
    [InlineData("protected")]
    [InlineData("encrypted_key")]
    [InlineData("iv")]
    [InlineData("ciphertext")]
    [InlineData("tag")]
    public void Decrypt_AnyByteOfAMemberChanged_IsRefused(string member)
    {
        using var key = CreateKey("P-256");
        var json = JsonNode.Parse(JweEncryption.EncryptFlattened(Plaintext, EcJsonWebKey.FromPublicKey(key, null)))!.AsObject();
        var original = Base64Url.Decode(json[member]!.GetValue<string>(), 4096, member);
        for (var i = 0; i < original.Length; i++)
        {
            var changed = original.ToArray();
            changed[i] ^= 1;
            json[member] = Base64Url.Encode(changed);
            var error = Record.Exception(() => JweMessage.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())).Decrypt(key));
            Assert.True(error is CryptographicException or MalformedDataException, $"byte {i}: {error?.GetType().Name ?? "accepted"}");
        }
    }

    [Fact]
    public void Decrypt_AdditionalData_IsAuthenticated()
    {
        using var key = CreateKey("P-256");
        var json = JsonNode.Parse(JweEncryption.EncryptFlattened(Plaintext, EcJsonWebKey.FromPublicKey(key, null)))!.AsObject();
        json["aad"] = "AAAA";
        Assert.ThrowsAny<CryptographicException>(() => JweMessage.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())).Decrypt(key));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"protected":"e30","encrypted_key":"AAAA","iv":"AAAAAAAAAAAAAAAA","ciphertext":"","tag":"AAAAAAAAAAAAAAAAAAAAAA"}""")] // no enc
    [InlineData("""{"protected":"eyJlbmMiOiJBMTI4Q0JDLUhTMjU2In0","header":{"alg":"RSA-OAEP"},"encrypted_key":"AAAA","iv":"","ciphertext":"","tag":""}""")] // A128CBC-HS256
    [InlineData("""{"protected":"eyJlbmMiOiJBMjU2R0NNIn0","header":{"alg":"RSA-OAEP","enc":"A256GCM"},"encrypted_key":"AAAA","iv":"AAAAAAAAAAAAAAAA","ciphertext":"","tag":"AAAAAAAAAAAAAAAAAAAAAA"}""")] // enc twice
    [InlineData("""{"protected":"eyJlbmMiOiJBMjU2R0NNIn0","recipients":[],"iv":"AAAAAAAAAAAAAAAA","ciphertext":"","tag":"AAAAAAAAAAAAAAAAAAAAAA"}""")]
    [InlineData("""{"protected":"eyJlbmMiOiJBMjU2R0NNIn0","header":{"alg":"RSA-OAEP"},"encrypted_key":"AAAA","iv":"AAAAAAAAAAAAAAAA","ciphertext":"","tag":"AAAA"}""")] // short tag
    public void Parse_NotAJwe_IsRefused(string json) =>
        Assert.Throws<MalformedDataException>(() => JweMessage.Parse(Encoding.UTF8.GetBytes(json)));

    private static ECDiffieHellman CreateKey(string curve) => ECDiffieHellman.Create(curve switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        _ => ECCurve.NamedCurves.nistP521,
    });
}
