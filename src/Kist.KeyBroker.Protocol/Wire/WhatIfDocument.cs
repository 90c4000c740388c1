using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Answer to POST /kist/v1/policies/{kind}/what-if: the latest decisions, made again with another policy.</summary>
public sealed record WhatIfDocument
{
    /// <summary>How many would come out differently.</summary>
    [JsonPropertyName("changed")]
    public required int Changed { get; init; }

    /// <summary>Every decision that the policy takes part in and whose evidence was kept, latest first.</summary>
    [JsonPropertyName("results")]
    public required IReadOnlyList<WhatIfResult> Results { get; init; }
}

/// <summary>One decision, made again.</summary>
public sealed record WhatIfResult
{
    /// <summary>The position of its entry in the audit log.</summary>
    [JsonPropertyName("sequence")]
    public required long Sequence { get; init; }

    /// <summary>When it was made.</summary>
    [JsonPropertyName("at")]
    public required DateTimeOffset At { get; init; }

    /// <summary>The part of a machine, or the secret, that it was about.</summary>
    [JsonPropertyName("subject")]
    public required string Subject { get; init; }

    /// <summary>The thumbprint of the guest's key.</summary>
    [JsonPropertyName("workload")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Workload { get; init; }

    /// <summary>What it was at the time.</summary>
    [JsonPropertyName("recorded")]
    public required string Recorded { get; init; }

    /// <summary>What it is by the policies in force: "allowed", "denied" or "failed", or the status of an attestation.</summary>
    [JsonPropertyName("before")]
    public required string Before { get; init; }

    /// <summary>What it would be with the new policy.</summary>
    [JsonPropertyName("after")]
    public required string After { get; init; }

    /// <summary>Why it would be refused; empty if it would not.</summary>
    [JsonPropertyName("why")]
    public required IReadOnlyList<string> Why { get; init; }
}
