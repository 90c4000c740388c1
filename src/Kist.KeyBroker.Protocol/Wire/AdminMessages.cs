using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Body of POST /attestation-policy.</summary>
public sealed record SetAttestationPolicyRequest
{
    /// <summary>The policy's name with the class of TEE it is for, such as "default_cpu".</summary>
    [JsonPropertyName("policy_id")]
    public required string PolicyId { get; init; }

    /// <summary>The Rego text in base64url without padding.</summary>
    [JsonPropertyName("policy")]
    public required string Policy { get; init; }

    /// <summary>"rego"; other clients send it, nothing reads it.</summary>
    [JsonPropertyName("type")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Type { get; init; }
}

/// <summary>Body of POST /resource-policy.</summary>
public sealed record SetResourcePolicyRequest
{
    /// <summary>The Rego text in base64url without padding.</summary>
    [JsonPropertyName("policy")]
    public required string Policy { get; init; }
}

/// <summary>Body of POST /reference-value, in the form of Trustee's RVPS.</summary>
public sealed record ReferenceValueMessage
{
    /// <summary>"0.1.0".</summary>
    [JsonPropertyName("version")]
    public string Version { get; init; } = "0.1.0";

    /// <summary>How the payload is written: "sample" for a plain map from name to value.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>The payload in standard base64.</summary>
    [JsonPropertyName("payload")]
    public required string Payload { get; init; }
}

/// <summary>
/// Measurements that must be met together: evidence matches the set if every claim named here has one of its values.
/// Kist's own, at /kist/v1/reference-sets.
/// </summary>
public sealed record ReferenceSet
{
    /// <summary>Unique name, such as "guest/0.1.0/pod-512m". Registering it again adds a version.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>The TEE for which the set is meant.</summary>
    [JsonPropertyName("tee")]
    public required string Tee { get; init; }

    /// <summary>
    /// From the path of a claim in the claims' JSON ("quote.body.mr_td") to its acceptable values, as that JSON writes
    /// them. At least one claim.
    /// </summary>
    [JsonPropertyName("claims")]
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Claims { get; init; }

    /// <summary>Before this moment the set matches nothing. Null: from its registration.</summary>
    [JsonPropertyName("not_before")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>From this moment on the set matches nothing.</summary>
    [JsonPropertyName("expires")]
    public required DateTimeOffset Expires { get; init; }

    /// <summary>Where the values come from, such as "kist guest build, manifest sha256:…".</summary>
    [JsonPropertyName("source")]
    public required string Source { get; init; }
}
