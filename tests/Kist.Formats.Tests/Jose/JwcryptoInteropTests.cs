using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Formats.Jose;

namespace Kist.Formats.Tests.Jose;

/// <summary>What we write is read by another implementation (python3-jwcrypto of Debian), and the other way round.</summary>
public sealed class JwcryptoInteropTests
{
    private const string Plaintext = "the key of the image";

    public static TheoryData<string, string> EcKeys => new()
    {
        { "P-256", "ECDH-ES+A256KW" }, { "P-384", "ECDH-ES+A256KW" }, { "P-521", "ECDH-ES+A256KW" },
    };

    [Theory]
    [MemberData(nameof(EcKeys))]
    public void Jwe_Ec_IsReadByJwcrypto(string curve, string algorithm)
    {
        var (key, publicKey) = Generate($"jwk.JWK.generate(kty='EC', crv='{curve}')", algorithm);
        var jwe = JweEncryption.EncryptFlattened(Encoding.UTF8.GetBytes(Plaintext), publicKey);
        Assert.Equal(Plaintext, Decrypt(key, jwe));
    }

    [Theory]
    [InlineData("RSA-OAEP-256")]
    [InlineData("RSA-OAEP")]
    public void Jwe_Rsa_IsReadByJwcrypto(string algorithm)
    {
        var (key, publicKey) = Generate("jwk.JWK.generate(kty='RSA', size=2048)", algorithm);
        Assert.Equal(Plaintext, Decrypt(key, JweEncryption.EncryptFlattened(Encoding.UTF8.GetBytes(Plaintext), publicKey)));
    }

    [Fact]
    public void Jwe_General_IsReadByJwcrypto()
    {
        var (key, publicKey) = Generate("jwk.JWK.generate(kty='EC', crv='P-256')", "ECDH-ES+A256KW");
        using var rsa = RSA.Create(2048);
        var jwe = JweEncryption.EncryptGeneral(Encoding.UTF8.GetBytes(Plaintext), [RsaJsonWebKey.FromPublicKey(rsa, "RSA-OAEP"), publicKey]);
        Assert.Equal(Plaintext, Decrypt(key, jwe));
    }

    [Theory]
    [InlineData("ECDH-ES+A256KW", "A256GCM")]
    [InlineData("ECDH-ES+A192KW", "A192GCM")]
    [InlineData("ECDH-ES+A128KW", "A128GCM")]
    [InlineData("RSA-OAEP-256", "A256GCM")]
    [InlineData("RSA-OAEP", "A256GCM")]
    public void Jwe_OfJwcrypto_IsRead(string algorithm, string encryption)
    {
        using var rsa = RSA.Create(2048);
        using var ec = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        JsonWebKey publicKey = algorithm.StartsWith("RSA", StringComparison.Ordinal)
            ? RsaJsonWebKey.FromPublicKey(rsa, null)
            : EcJsonWebKey.FromPublicKey(ec, null);
        var compact = Python(
            $$"""
            o = json.load(sys.stdin)
            t = jwe.JWE(o['plaintext'].encode(), json.dumps({'alg': '{{algorithm}}', 'enc': '{{encryption}}', 'apu': 'QWxpY2U', 'apv': 'Qm9i'}), algs=['{{algorithm}}', '{{encryption}}'])
            t.add_recipient(jwk.JWK(**o['key']))
            print(t.serialize(compact=True))
            """,
            new JsonObject { ["plaintext"] = Plaintext, ["key"] = JsonNode.Parse(publicKey.ToString()) });
        var message = JweMessage.ParseCompact(compact.Trim());
        using var plaintext = publicKey is RsaJsonWebKey ? message.Decrypt(rsa) : message.Decrypt(ec);
        Assert.Equal(Plaintext, Encoding.UTF8.GetString(plaintext.Span));
    }

    [Fact]
    public void Jws_IsVerifiedByJwcrypto()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = JwsToken.Sign(key, """{"iss":"kist"}"""u8, w => w.WriteString("typ", "JWT"));
        var claims = Python(
            """
            o = json.load(sys.stdin)
            t = jws.JWS(); t.deserialize(o['token']); t.verify(jwk.JWK(**o['key']))
            print(t.payload.decode())
            """,
            new JsonObject { ["token"] = token, ["key"] = JsonNode.Parse(EcJsonWebKey.FromPublicKey(key, "ES256").ToString()) });
        Assert.Equal("""{"iss":"kist"}""", claims.Trim());
    }

    [Fact]
    public void Thumbprint_IsTheOneOfJwcrypto()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var key = EcJsonWebKey.FromPublicKey(ec, "ES384");
        Assert.Equal(
            key.Thumbprint(),
            Python("print(jwk.JWK(**json.load(sys.stdin)).thumbprint())", JsonNode.Parse(key.ToString())!.AsObject()).Trim());
    }

    private static (JsonObject Private, JsonWebKey Public) Generate(string expression, string algorithm)
    {
        var json = JsonNode.Parse(Python($"print({expression}.export())", []))!.AsObject();
        json["alg"] = algorithm;
        return (json, JsonWebKey.Parse(Encoding.UTF8.GetBytes(json.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))));
    }

    private static string Decrypt(JsonObject key, byte[] jweText) => Python(
        """
        o = json.load(sys.stdin)
        t = jwe.JWE(algs=['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES+A256KW', 'A256GCM'])
        t.deserialize(json.dumps(o['jwe'])); t.decrypt(jwk.JWK(**o['key']))
        print(t.payload.decode())
        """,
        new JsonObject { ["jwe"] = JsonNode.Parse(jweText), ["key"] = key }).Trim();

    private static string Python(string script, JsonObject input)
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/jwcrypto"), "python3-jwcrypto is not installed");
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", "import sys, json\nfrom jwcrypto import jwk, jwe, jws\n" + script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Write(input.ToJsonString());
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
        return output;
    }
}
