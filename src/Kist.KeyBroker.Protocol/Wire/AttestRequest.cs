using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Body of POST /attest: the evidence and what it binds.</summary>
public sealed record AttestRequest
{
    /// <summary>The measured start-up configuration, or null if the guest has none.</summary>
    [JsonPropertyName("init-data")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public InitDataMessage? InitData { get; init; }

    /// <summary>What the report data is the digest of.</summary>
    [JsonPropertyName("runtime-data")]
    public required RuntimeData RuntimeData { get; init; }

    /// <summary>The evidence itself.</summary>
    [JsonPropertyName("tee-evidence")]
    public required CompositeEvidence TeeEvidence { get; init; }
}

/// <summary>An init-data document in an <see cref="AttestRequest"/>.</summary>
public sealed record InitDataMessage
{
    /// <summary>"toml".</summary>
    [JsonPropertyName("format")]
    public required string Format { get; init; }

    /// <summary>The document's exact text: its digest is what the TEE measured.</summary>
    [JsonPropertyName("body")]
    public required string Body { get; init; }
}

/// <summary>What the guest adds at run time, bound by the report data.</summary>
public sealed record RuntimeData
{
    /// <summary>The challenge's nonce, as it was received.</summary>
    [JsonPropertyName("nonce")]
    public required string Nonce { get; init; }

    /// <summary>The public JSON Web Key to which secrets are to be encrypted.</summary>
    [JsonPropertyName("tee-pubkey")]
    public required JsonElement TeePublicKey { get; init; }
}

/// <summary>Evidence of the TEE and of the devices attached to it. Its members' names have underscores.</summary>
public sealed record CompositeEvidence
{
    /// <summary>The TEE's evidence, in the shape that belongs to the TEE.</summary>
    [JsonPropertyName("primary_evidence")]
    public required JsonElement PrimaryEvidence { get; init; }

    /// <summary>The empty string, or the text of a JSON object from a device's TEE name to its evidence.</summary>
    [JsonPropertyName("additional_evidence")]
    public required string AdditionalEvidence { get; init; }
}
