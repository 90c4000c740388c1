using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Answer to POST /attest.</summary>
public sealed record AttestResponse
{
    /// <summary>The attestation result: an EAR as a JWT.</summary>
    [JsonPropertyName("token")]
    public required string Token { get; init; }
}
