using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Answer to POST /kist/v1/reference-imports.</summary>
public sealed record ReferenceImportReport
{
    /// <summary>The sets or values that the document held.</summary>
    [JsonPropertyName("names")]
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>SHA-256 of the signer's public key (SubjectPublicKeyInfo), hexadecimal; absent if nobody signed it.</summary>
    [JsonPropertyName("signer")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Signer { get; init; }

    /// <summary>True if they come into force only once a second person has approved them.</summary>
    [JsonPropertyName("waits_for_approval")]
    public bool WaitsForApproval { get; init; }
}
