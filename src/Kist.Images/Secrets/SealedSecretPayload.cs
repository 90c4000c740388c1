using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Images.Secrets;

/// <summary>What a sealed secret says.</summary>
public sealed record SealedSecretPayload
{
    /// <summary>"0.1.0".</summary>
    public required string Version { get; init; }

    /// <summary>"vault" or "envelope".</summary>
    public required string Type { get; init; }

    /// <summary>Who holds the secret, or its key: "kbs", or a cloud's service.</summary>
    public required string Provider { get; init; }

    /// <summary>Of a vault: the secret's name, kbs:///repository/type/tag. Else null.</summary>
    public string? Name { get; init; }

    /// <summary>Of an envelope: the key that encrypted the secret's own key. Else null.</summary>
    public string? KeyId { get; init; }

    /// <summary>Of an envelope: the secret's own key, encrypted. Else null.</summary>
    public string? EncryptedKey { get; init; }

    /// <summary>Of an envelope: the secret, encrypted. Else null.</summary>
    public string? EncryptedData { get; init; }

    /// <summary>Of an envelope: how the secret is encrypted, A256GCM. Else null.</summary>
    public string? WrapType { get; init; }

    /// <summary>Of an envelope: the IV. Else null.</summary>
    public string? Iv { get; init; }

    /// <summary>Settings of the provider.</summary>
    public IReadOnlyDictionary<string, JsonElement> ProviderSettings { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Annotations of the provider.</summary>
    public IReadOnlyDictionary<string, JsonElement> Annotations { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Reads and checks a payload.</summary>
    public static SealedSecretPayload Parse(ReadOnlySpan<byte> json)
    {
        SealedSecretPayload payload;
        try
        {
            payload = JsonSerializer.Deserialize(json, SealedSecretJson.Context.SealedSecretPayload) ?? throw Malformed("null");
        }
        catch (JsonException)
        {
            throw Malformed("it is not the JSON that is expected");
        }

        var complete = payload.Type switch
        {
            "vault" => payload.Name is not null,
            "envelope" => payload is { KeyId: not null, EncryptedKey: not null, EncryptedData: not null, WrapType: not null, Iv: not null },
            _ => false,
        };
        return complete && payload.Version == "0.1.0" ? payload : throw Malformed("its version or type is not known, or a member is missing");
    }

    /// <summary>The JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, SealedSecretJson.Context.SealedSecretPayload);

    private static MalformedDataException Malformed(string reason) => new("sealed secret payload", -1, reason);
}

/// <summary>JSON of sealed secrets; doubled members are refused.</summary>
[JsonSerializable(typeof(SealedSecretPayload))]
sealed partial class SealedSecretJson : JsonSerializerContext
{
    public static SealedSecretJson Context { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 16,
    });
}
