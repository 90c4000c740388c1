using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>A tenant, whose routes lie below /tenants/NAME.</summary>
public sealed record TenantDocument
{
    /// <summary>Its name.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>When it was made.</summary>
    [JsonPropertyName("created_at")]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who made it.</summary>
    [JsonPropertyName("created_by")]
    public required string CreatedBy { get; init; }

    /// <summary>When it was closed; absent if it is open.</summary>
    [JsonPropertyName("closed_at")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ClosedAt { get; init; }
}

/// <summary>Answer to GET /kist/v1/tenants.</summary>
public sealed record TenantList
{
    /// <summary>By name.</summary>
    [JsonPropertyName("tenants")]
    public required IReadOnlyList<TenantDocument> Tenants { get; init; }
}
