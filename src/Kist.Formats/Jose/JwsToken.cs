using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kist.Formats.Jose;

/// <summary>
/// A JSON Web Signature in the compact form (RFC 7515), as JWTs are: ES256/384/512, RS256/384/512, PS256/384/512. The
/// key decides which algorithms may have signed; "none" and secret-key algorithms never.
/// </summary>
public sealed class JwsToken
{
    /// <summary>Longest token in characters: a verbose EAR of an eight-GPU machine is about 170 KiB.</summary>
    public const int MaxTextLength = 1024 * 1024;

    private const string Structure = "JSON Web Signature";

    private readonly byte[] _signingInput;
    private readonly byte[] _signature;

    private JwsToken(string algorithm, JsonElement header, byte[] payload, byte[] signingInput, byte[] signature)
    {
        Algorithm = algorithm;
        Header = header;
        Payload = payload;
        _signingInput = signingInput;
        _signature = signature;
    }

    /// <summary>The "alg" header.</summary>
    public string Algorithm { get; }

    /// <summary>The whole protected header. Trust it only after <see cref="Verify(JsonWebKey)"/>.</summary>
    public JsonElement Header { get; }

    /// <summary>The "kid" header, or null.</summary>
    public string? KeyId => StrictJson.OptionalText(Header, "kid", Structure);

    /// <summary>The payload's bytes. Trust them only after <see cref="Verify(JsonWebKey)"/>.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>Splits and decodes a token; nothing is verified yet.</summary>
    /// <exception cref="MalformedDataException">Not a compact JWS, too long, or with a "crit" header.</exception>
    public static JwsToken Parse(string text)
    {
        if (text.Length > MaxTextLength)
            throw Malformed($"{text.Length} characters are more than the limit of {MaxTextLength}");
        var first = text.IndexOf('.');
        var last = text.LastIndexOf('.');
        if (first < 0 || first == last || text.AsSpan(first + 1, last - first - 1).Contains('.'))
            throw Malformed("the compact form has three parts");
        var header = ParseHeader(Base64Url.Decode(text.AsSpan(0, first), MaxTextLength, "JWS protected header"));
        var algorithm = StrictJson.RequiredText(header, "alg", Structure);
        if (header.TryGetProperty("crit", out _))
            throw Malformed("\"crit\" is not supported");
        return new JwsToken(
            algorithm,
            header,
            Base64Url.Decode(text.AsSpan(first + 1, last - first - 1), MaxTextLength, "JWS payload"),
            Encoding.ASCII.GetBytes(text, 0, last),
            Base64Url.Decode(text.AsSpan(last + 1), 1024, "JWS signature"));
    }

    /// <summary>Signs with ES256, ES384 or ES512, as the key's size demands.</summary>
    /// <param name="key">The private key.</param>
    /// <param name="payload">What is signed.</param>
    /// <param name="writeHeader">Writes further header members after "alg"; null for none.</param>
    public static string Sign(ECDsa key, ReadOnlySpan<byte> payload, Action<Utf8JsonWriter>? writeHeader = null)
    {
        var (algorithm, hash) = key.KeySize switch
        {
            256 => ("ES256", HashAlgorithmName.SHA256),
            384 => ("ES384", HashAlgorithmName.SHA384),
            521 => ("ES512", HashAlgorithmName.SHA512),
            _ => throw new ArgumentException("the key is on no curve of JOSE", nameof(key)),
        };
        var input = SigningInput(algorithm, payload, writeHeader);
        return Join(input, key.SignData(Encoding.ASCII.GetBytes(input), hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    /// <summary>Signs with PS256.</summary>
    /// <inheritdoc cref="Sign(ECDsa, ReadOnlySpan{byte}, Action{Utf8JsonWriter}?)"/>
    public static string Sign(RSA key, ReadOnlySpan<byte> payload, Action<Utf8JsonWriter>? writeHeader = null)
    {
        var input = SigningInput("PS256", payload, writeHeader);
        return Join(input, key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
    }

    /// <summary>True if this key signed this token with an algorithm that fits the key.</summary>
    /// <exception cref="MalformedDataException">The key is not valid, such as a point off its curve.</exception>
    public bool Verify(JsonWebKey key)
    {
        if (key.Algorithm is { } bound && bound != Algorithm)
            return false;
        switch (key)
        {
            case EcJsonWebKey ec when HashOfEc(ec.Curve) is var (name, hash) && name == Algorithm:
                using (var verifier = ec.CreateECDsa())
                    return Verify(verifier, hash);
            case RsaJsonWebKey rsa when HashOfRsa(Algorithm) is var (padding, hash):
                using (var verifier = rsa.CreateRsa())
                    return verifier.VerifyData(_signingInput, _signature, hash, padding);
            default:
                return false;
        }
    }

    /// <summary>True if this key signed this token. For who verifies often: importing a key costs more than verifying by it.</summary>
    public bool Verify(ECDsa key) => Algorithm switch
    {
        "ES256" when key.KeySize == 256 => Verify(key, HashAlgorithmName.SHA256),
        "ES384" when key.KeySize == 384 => Verify(key, HashAlgorithmName.SHA384),
        "ES512" when key.KeySize == 521 => Verify(key, HashAlgorithmName.SHA512),
        _ => false,
    };

    private bool Verify(ECDsa key, HashAlgorithmName hash) =>
        key.VerifyData(_signingInput, _signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private static (string Algorithm, HashAlgorithmName Hash)? HashOfEc(string curve) => curve switch
    {
        "P-256" => ("ES256", HashAlgorithmName.SHA256),
        "P-384" => ("ES384", HashAlgorithmName.SHA384),
        "P-521" => ("ES512", HashAlgorithmName.SHA512),
        _ => null,
    };

    private static (RSASignaturePadding Padding, HashAlgorithmName Hash)? HashOfRsa(string algorithm) => algorithm switch
    {
        "RS256" => (RSASignaturePadding.Pkcs1, HashAlgorithmName.SHA256),
        "RS384" => (RSASignaturePadding.Pkcs1, HashAlgorithmName.SHA384),
        "RS512" => (RSASignaturePadding.Pkcs1, HashAlgorithmName.SHA512),
        "PS256" => (RSASignaturePadding.Pss, HashAlgorithmName.SHA256),
        "PS384" => (RSASignaturePadding.Pss, HashAlgorithmName.SHA384),
        "PS512" => (RSASignaturePadding.Pss, HashAlgorithmName.SHA512),
        _ => null,
    };

    private static string SigningInput(string algorithm, ReadOnlySpan<byte> payload, Action<Utf8JsonWriter>? writeHeader)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("alg"u8, algorithm);
            writeHeader?.Invoke(writer);
            writer.WriteEndObject();
        }

        return $"{Base64Url.Encode(buffer.ToArray())}.{Base64Url.Encode(payload)}";
    }

    private static string Join(string input, byte[] signature) => $"{input}.{Base64Url.Encode(signature)}";

    private static JsonElement ParseHeader(byte[] utf8Json)
    {
        using var document = StrictJson.ParseObject(utf8Json, MaxTextLength, "JWS protected header", maxDepth: 16);
        return document.RootElement.Clone();
    }

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
