using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>A policy as the broker lists it.</summary>
public sealed record PolicyDocument
{
    /// <summary>"attestation" or "resource".</summary>
    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    /// <summary>What it is for: an attestation policy's id; "" for all resources, "floor", a repository, or repository/type/tag.</summary>
    [JsonPropertyName("scope")]
    public required string Scope { get; init; }

    /// <summary>Counts from 1; 0 for the default that is built in.</summary>
    [JsonPropertyName("version")]
    public required long Version { get; init; }

    /// <summary>The Rego text.</summary>
    [JsonPropertyName("text")]
    public required string Text { get; init; }

    /// <summary>When it was set.</summary>
    [JsonPropertyName("set_at")]
    public required DateTimeOffset SetAt { get; init; }

    /// <summary>Who set it.</summary>
    [JsonPropertyName("set_by")]
    public required string SetBy { get; init; }
}

/// <summary>Answer to GET /kist/v1/policies/….</summary>
public sealed record PolicyList
{
    /// <summary>Sorted by scope.</summary>
    [JsonPropertyName("policies")]
    public required IReadOnlyList<PolicyDocument> Policies { get; init; }
}

/// <summary>A reference set as the broker lists it.</summary>
public sealed record ReferenceSetDocument
{
    /// <summary>The set.</summary>
    [JsonPropertyName("set")]
    public required ReferenceSet Set { get; init; }

    /// <summary>Counts from 1.</summary>
    [JsonPropertyName("version")]
    public required long Version { get; init; }

    /// <summary>When it was registered.</summary>
    [JsonPropertyName("registered_at")]
    public required DateTimeOffset RegisteredAt { get; init; }

    /// <summary>Who registered it.</summary>
    [JsonPropertyName("registered_by")]
    public required string RegisteredBy { get; init; }

    /// <summary>True if it was taken out of force.</summary>
    [JsonPropertyName("deleted")]
    public required bool Deleted { get; init; }

    /// <summary>True if it is valid now. Of several versions the highest decides.</summary>
    [JsonPropertyName("in_force")]
    public required bool InForce { get; init; }
}

/// <summary>Answer to GET /kist/v1/reference-sets.</summary>
public sealed record ReferenceSetList
{
    /// <summary>Sorted by name, or one set's versions, oldest first.</summary>
    [JsonPropertyName("sets")]
    public required IReadOnlyList<ReferenceSetDocument> Sets { get; init; }
}

/// <summary>A single reference value as the broker lists it.</summary>
public sealed record ReferenceValueDocument
{
    /// <summary>Its name, as policies ask for it.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>Counts from 1.</summary>
    [JsonPropertyName("version")]
    public required long Version { get; init; }

    /// <summary>Any JSON.</summary>
    [JsonPropertyName("value")]
    public required JsonElement Value { get; init; }

    /// <summary>From when it is valid.</summary>
    [JsonPropertyName("not_before")]
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>From when on it is no longer valid.</summary>
    [JsonPropertyName("expires")]
    public required DateTimeOffset Expires { get; init; }

    /// <summary>Where it comes from.</summary>
    [JsonPropertyName("source")]
    public required string Source { get; init; }

    /// <summary>When it was registered.</summary>
    [JsonPropertyName("registered_at")]
    public required DateTimeOffset RegisteredAt { get; init; }

    /// <summary>Who registered it.</summary>
    [JsonPropertyName("registered_by")]
    public required string RegisteredBy { get; init; }

    /// <summary>True if it was taken out of force.</summary>
    [JsonPropertyName("deleted")]
    public required bool Deleted { get; init; }

    /// <summary>True if it is valid now.</summary>
    [JsonPropertyName("in_force")]
    public required bool InForce { get; init; }
}

/// <summary>Answer to GET /kist/v1/reference-values.</summary>
public sealed record ReferenceValueList
{
    /// <summary>Sorted by name, or one value's versions, oldest first.</summary>
    [JsonPropertyName("values")]
    public required IReadOnlyList<ReferenceValueDocument> Values { get; init; }
}

/// <summary>A secret as the broker lists it: never its value.</summary>
public sealed record ResourceDocument
{
    /// <summary>repository/type/tag.</summary>
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary>The version that is given out.</summary>
    [JsonPropertyName("version")]
    public required long Version { get; init; }

    /// <summary>Size of that version in bytes.</summary>
    [JsonPropertyName("size")]
    public required long Size { get; init; }

    /// <summary>When the secret was first stored.</summary>
    [JsonPropertyName("created_at")]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    [JsonPropertyName("updated_at")]
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When it was deleted, or null.</summary>
    [JsonPropertyName("deleted_at")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? DeletedAt { get; init; }
}

/// <summary>Answer to GET /kist/v1/resources.</summary>
public sealed record ResourceList
{
    /// <summary>Sorted by path.</summary>
    [JsonPropertyName("resources")]
    public required IReadOnlyList<ResourceDocument> Resources { get; init; }
}

/// <summary>One version of a secret.</summary>
public sealed record ResourceVersionDocument
{
    /// <summary>Counts from 1.</summary>
    [JsonPropertyName("version")]
    public required long Version { get; init; }

    /// <summary>Size in bytes.</summary>
    [JsonPropertyName("size")]
    public required long Size { get; init; }

    /// <summary>When it was stored.</summary>
    [JsonPropertyName("created_at")]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who stored it.</summary>
    [JsonPropertyName("created_by")]
    public required string CreatedBy { get; init; }

    /// <summary>Which master key protects it.</summary>
    [JsonPropertyName("master_key")]
    public required string MasterKey { get; init; }
}

/// <summary>Answer to GET /kist/v1/resources/versions.</summary>
public sealed record ResourceVersionList
{
    /// <summary>Oldest first.</summary>
    [JsonPropertyName("versions")]
    public required IReadOnlyList<ResourceVersionDocument> Versions { get; init; }
}

/// <summary>An administrator's token as the broker lists it; with <see cref="Token"/> only in the answer that made it.</summary>
public sealed record AdminTokenDocument
{
    /// <summary>Whose it is.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>What it allows, with commas.</summary>
    [JsonPropertyName("roles")]
    public required string Roles { get; init; }

    /// <summary>When it was made.</summary>
    [JsonPropertyName("created_at")]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who made it.</summary>
    [JsonPropertyName("created_by")]
    public required string CreatedBy { get; init; }

    /// <summary>When it ends, or null.</summary>
    [JsonPropertyName("expires")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Expires { get; init; }

    /// <summary>When it was revoked, or null.</summary>
    [JsonPropertyName("revoked_at")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The one tenant where it is good; absent if it is good everywhere.</summary>
    [JsonPropertyName("tenant")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Tenant { get; init; }

    /// <summary>The token itself.</summary>
    [JsonPropertyName("token")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Token { get; init; }
}

/// <summary>Body of POST /kist/v1/admin-tokens.</summary>
public sealed record CreateAdminTokenRequest
{
    /// <summary>Whose it is to be; never used before.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>policy-author, reference-author, secret-author, auditor, token-author or administrator, with commas.</summary>
    [JsonPropertyName("roles")]
    public required string Roles { get; init; }

    /// <summary>When it ends, or null.</summary>
    [JsonPropertyName("expires")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Expires { get; init; }
}

/// <summary>Answer to GET /kist/v1/admin-tokens.</summary>
public sealed record AdminTokenList
{
    /// <summary>Sorted by name.</summary>
    [JsonPropertyName("tokens")]
    public required IReadOnlyList<AdminTokenDocument> Tokens { get; init; }
}

/// <summary>One entry of the audit log.</summary>
public sealed record AuditEntryDocument
{
    /// <summary>Its position, from 0.</summary>
    [JsonPropertyName("sequence")]
    public required long Sequence { get; init; }

    /// <summary>Its exact text, JSON again: the UTF-8 bytes of it are the leaf of the Merkle tree.</summary>
    [JsonPropertyName("entry")]
    public required string Entry { get; init; }
}

/// <summary>Answer to GET /kist/v1/audit/entries.</summary>
public sealed record AuditEntryList
{
    /// <summary>In order, or latest first for a search.</summary>
    [JsonPropertyName("entries")]
    public required IReadOnlyList<AuditEntryDocument> Entries { get; init; }
}

/// <summary>The head of the audit log's Merkle tree at one moment.</summary>
public sealed record AuditTreeHead
{
    /// <summary>Number of entries.</summary>
    [JsonPropertyName("size")]
    public required long Size { get; init; }

    /// <summary>The root hash (RFC 6962 section 2.1), hexadecimal.</summary>
    [JsonPropertyName("root")]
    public required string Root { get; init; }

    /// <summary>When it was signed.</summary>
    [JsonPropertyName("at")]
    public required DateTimeOffset At { get; init; }

    /// <summary>A compact JWS (ES256) whose payload is {"size","root","at"} as above.</summary>
    [JsonPropertyName("signature")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Signature { get; init; }
}

/// <summary>Where the audit log begins once old entries were removed.</summary>
public sealed record AuditCheckpointDocument
{
    /// <summary>The signed head over what was removed: the first entry that is left has the position of its size.</summary>
    [JsonPropertyName("head")]
    public required AuditTreeHead Head { get; init; }

    /// <summary>The hashes of the complete subtrees that make up what was removed, hexadecimal, the largest first.</summary>
    [JsonPropertyName("subtrees")]
    public required IReadOnlyList<string> Subtrees { get; init; }
}

/// <summary>A proof about the audit log's Merkle tree.</summary>
public sealed record AuditProof
{
    /// <summary>The hashes of the proof (RFC 6962 sections 2.1.1 and 2.1.2), hexadecimal, in order.</summary>
    [JsonPropertyName("path")]
    public required IReadOnlyList<string> Path { get; init; }
}
