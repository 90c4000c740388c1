using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// What everybody may know of an encrypted layer (ocicrypt PublicLayerBlockCipherOptions): the annotation
/// org.opencontainers.image.enc.pubopts, base64 of JSON.
/// </summary>
public sealed record PublicLayerOptions
{
    /// <summary>Always <see cref="LayerCipher.Name"/>.</summary>
    public required string Cipher { get; init; }

    /// <summary>HMAC-SHA-256 of the ciphertext.</summary>
    public required byte[] Hmac { get; init; }

    /// <summary>Options of the cipher. Nothing authenticates these, so none is accepted.</summary>
    [JsonPropertyName("cipheroptions")]
    public IReadOnlyDictionary<string, byte[]>? CipherOptions { get; init; }

    /// <summary>Reads and checks the decoded annotation.</summary>
    public static PublicLayerOptions Parse(ReadOnlySpan<byte> json)
    {
        var options = OcicryptJson.Parse(json, OcicryptJson.Context.PublicLayerOptions, "ocicrypt public options");
        if (options.Cipher != LayerCipher.Name)
            throw new MalformedDataException("ocicrypt public options", -1, $"the cipher '{options.Cipher}' is not known, only {LayerCipher.Name}");
        if (options.Hmac.Length != HMACSHA256.HashSizeInBytes)
            throw new MalformedDataException("ocicrypt public options", -1, $"hmac has {options.Hmac.Length} bytes, not 32");
        // Other implementations let a nonce here replace the wrapped one, which would change the plaintext under a valid HMAC.
        if (options.CipherOptions is { Count: > 0 })
            throw new MalformedDataException("ocicrypt public options", -1, "cipheroptions must be empty: nothing authenticates them");
        return options;
    }

    /// <summary>The JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, OcicryptJson.Context.PublicLayerOptions);
}

/// <summary>
/// The secrets of an encrypted layer (ocicrypt PrivateLayerBlockCipherOptions): what is wrapped for each recipient.
/// Disposing wipes the key.
/// </summary>
public sealed class PrivateLayerOptions : IDisposable
{
    /// <summary>The key of both AES and HMAC: 32 bytes.</summary>
    [JsonPropertyName("symkey")]
    public required byte[] SymmetricKey { get; init; }

    /// <summary>Digest of the layer before encryption (compressed).</summary>
    public required Oci.Digest Digest { get; init; }

    /// <summary>Options of the cipher: "nonce", 16 bytes.</summary>
    [JsonPropertyName("cipheroptions")]
    public required IReadOnlyDictionary<string, byte[]> CipherOptions { get; init; }

    /// <summary>The first counter block.</summary>
    [JsonIgnore]
    public byte[] Nonce => CipherOptions["nonce"];

    /// <summary>Reads and checks unwrapped JSON.</summary>
    public static PrivateLayerOptions Parse(ReadOnlySpan<byte> json)
    {
        var options = OcicryptJson.Parse(json, OcicryptJson.Context.PrivateLayerOptions, "ocicrypt private options");
        if (options.SymmetricKey.Length != Aes256Ctr.KeySize)
            throw new MalformedDataException("ocicrypt private options", -1, $"symkey has {options.SymmetricKey.Length} bytes, not 32");
        if (options.CipherOptions.GetValueOrDefault("nonce") is not { Length: Aes256Ctr.NonceSize })
            throw new MalformedDataException("ocicrypt private options", -1, "the nonce is missing or has not 16 bytes");
        return options;
    }

    /// <summary>The JSON. The caller wipes it.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, OcicryptJson.Context.PrivateLayerOptions);

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(SymmetricKey);
}

/// <summary>JSON of ocicrypt and of the CoCo packets: byte strings are standard base64; doubled members are refused.</summary>
[JsonSerializable(typeof(PublicLayerOptions))]
[JsonSerializable(typeof(PrivateLayerOptions))]
[JsonSerializable(typeof(KeyPacket))]
[JsonSerializable(typeof(Pkcs11Packet))]
sealed partial class OcicryptJson : JsonSerializerContext
{
    public const int MaxBytes = 64 * 1024;

    public static OcicryptJson Context { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 8,
    });

    public static T Parse<T>(ReadOnlySpan<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string structure)
        where T : class => StrictJson.Deserialize(json, type, MaxBytes, structure, isSecret: true);
}
