using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>On what terms a secret is given out, beyond what policies say. At /kist/v1/resource-terms.</summary>
public sealed record ResourceTermsDocument
{
    /// <summary>How often it is given out in all; null for no limit.</summary>
    [JsonPropertyName("max_reads")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MaxReads { get; init; }

    /// <summary>How often it was given out since the terms were set. Only in answers.</summary>
    [JsonPropertyName("reads")]
    public long Reads { get; init; }

    /// <summary>From this time on it is not given out; null for no end.</summary>
    [JsonPropertyName("until")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Until { get; init; }

    /// <summary>
    /// Path of the claim in the evidence's annotation, such as "init_data" or "tdx.quote.body.mr_td", by whose value each
    /// workload gets 32 bytes of its own, derived from the stored secret; null to give out the stored one.
    /// </summary>
    [JsonPropertyName("derived_by")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DerivedBy { get; init; }
}

/// <summary>A workload that gets nothing more. At /kist/v1/revocations.</summary>
public sealed record RevocationDocument
{
    /// <summary>"workload" (a key's thumbprint), "token" (its id) or "init-data" (hexadecimal, as measured).</summary>
    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    /// <summary>Which one.</summary>
    [JsonPropertyName("value")]
    public required string Value { get; init; }

    /// <summary>Why, for people.</summary>
    [JsonPropertyName("reason")]
    public required string Reason { get; init; }

    /// <summary>When. Only in answers.</summary>
    [JsonPropertyName("revoked_at")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>By whom. Only in answers.</summary>
    [JsonPropertyName("revoked_by")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RevokedBy { get; init; }
}

/// <summary>Answer to GET /kist/v1/revocations.</summary>
public sealed record RevocationList
{
    /// <summary>Oldest first.</summary>
    [JsonPropertyName("revocations")]
    public required IReadOnlyList<RevocationDocument> Revocations { get; init; }
}
