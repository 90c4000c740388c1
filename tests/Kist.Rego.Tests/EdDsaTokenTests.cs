using System.Security.Cryptography;

namespace Kist.Rego.Tests;

/// <summary>Tokens signed with EdDSA over Ed25519 (RFC 8037): the RFC's own example key, appendix A.</summary>
public class EdDsaTokenTests
{
    private const string PrivateKey = """{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""";

    private const string PublicKey = """{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""";

    /// <summary>RFC 8037, A.4: the payload is text, so the header has a type that says so.</summary>
    private const string Example =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    [Fact]
    public void Verify_TheExampleOfTheRfc_Holds() =>
        Assert.Equal("true", Rego.Json($"p := io.jwt.verify_eddsa(\"{Example}\", `{PublicKey}`)"));

    [Fact]
    public void Verify_EachByteOfTheSignatureChanged_Fails()
    {
        var signature = Convert.FromBase64String(Example.Split('.')[2].Replace('-', '+').Replace('_', '/') + "==");
        for (var i = 0; i < signature.Length; i++)
        {
            var changed = (byte[])signature.Clone();
            changed[i] ^= 1;
            var token = $"{Example[..Example.LastIndexOf('.')]}.{Convert.ToBase64String(changed).TrimEnd('=').Replace('+', '-').Replace('/', '_')}";
            Assert.Equal("false", Rego.Json($"p := io.jwt.verify_eddsa(\"{token}\", `{PublicKey}`)"));
        }
    }

    [Fact]
    public void EncodeSign_ThenDecodeVerify_ByPemAndByJwk_Holds()
    {
        // SubjectPublicKeyInfo of RFC 8410 around the same key.
        var pem = PemEncoding.WriteString("PUBLIC KEY", [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
            .. Convert.FromHexString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")]);
        foreach (var key in new[] { pem, PublicKey })
        {
            Assert.Equal(
                """[true,{"alg":"EdDSA","typ":"JWT"},{"sub":"a"}]""",
                Rego.Json($"token := io.jwt.encode_sign({{\"alg\": \"EdDSA\", \"typ\": \"JWT\"}}, {{\"sub\": \"a\"}}, {PrivateKey})\np := io.jwt.decode_verify(token, {{\"cert\": `{key}`}})"));
        }
    }

    [Fact]
    public void Verify_WithAKeyOfAnotherKind_Fails()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal("false", Rego.Json($"p := io.jwt.verify_eddsa(\"{Example}\", `{key.ExportSubjectPublicKeyInfoPem()}`)"));
        Assert.Equal("false", Rego.Json($"p := io.jwt.verify_es256(\"{Example}\", `{PublicKey}`)"));
    }
}
