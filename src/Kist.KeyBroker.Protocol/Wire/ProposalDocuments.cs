using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>A change to a policy or reference value that waits for a second person, or was decided.</summary>
public sealed record ProposalDocument
{
    /// <summary>Names the proposal when it is decided.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>"policy.resource.set", "reference.set.delete", …</summary>
    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    /// <summary>The policy's scope or id, the name of the reference set or value.</summary>
    [JsonPropertyName("subject")]
    public required string Subject { get; init; }

    /// <summary>What is to be in force; empty to take it out of force.</summary>
    [JsonPropertyName("body")]
    public required string Body { get; init; }

    /// <summary>When it was proposed.</summary>
    [JsonPropertyName("proposed_at")]
    public required DateTimeOffset ProposedAt { get; init; }

    /// <summary>By whom.</summary>
    [JsonPropertyName("proposed_by")]
    public required string ProposedBy { get; init; }

    /// <summary>"approved" or "rejected"; null while it waits.</summary>
    [JsonPropertyName("decision")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Decision { get; init; }

    /// <summary>When it was decided, or null.</summary>
    [JsonPropertyName("decided_at")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? DecidedAt { get; init; }

    /// <summary>By whom, or null.</summary>
    [JsonPropertyName("decided_by")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DecidedBy { get; init; }
}

/// <summary>Answer to GET /kist/v1/proposals.</summary>
public sealed record ProposalList
{
    /// <summary>Oldest first.</summary>
    [JsonPropertyName("proposals")]
    public required IReadOnlyList<ProposalDocument> Proposals { get; init; }
}
