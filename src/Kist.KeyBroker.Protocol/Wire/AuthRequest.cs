using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Body of POST /auth: the guest says what it is.</summary>
public sealed record AuthRequest
{
    /// <summary>The protocol's version, "0.4.0".</summary>
    [JsonPropertyName("version")]
    public required string Version { get; init; }

    /// <summary>The TEE's name: tdx, snp, sgx, …</summary>
    [JsonPropertyName("tee")]
    public required string Tee { get; init; }

    /// <summary>Any JSON; guests list "supported-hash-algorithms" in it.</summary>
    [JsonPropertyName("extra-params")]
    public required JsonElement ExtraParams { get; init; }
}
