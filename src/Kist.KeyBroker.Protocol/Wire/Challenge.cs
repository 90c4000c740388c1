using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Answer to POST /auth: what the guest's evidence has to bind.</summary>
public sealed record Challenge
{
    /// <summary>32 random bytes in standard base64 with padding (for the TEE "se" a JSON document).</summary>
    [JsonPropertyName("nonce")]
    public required string Nonce { get; init; }

    /// <summary>The empty string, or an object whose "selected-hash-algorithm" replaces SHA-384.</summary>
    [JsonPropertyName("extra-params")]
    public required JsonElement ExtraParams { get; init; }
}
