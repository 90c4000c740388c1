using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// The body of every error: Trustee's "type" and "detail", with the other members of RFC 9457 and Kist's own beside them.
/// </summary>
public sealed record ErrorInformation
{
    /// <summary><see cref="KbsProtocol.ErrorTypePrefix"/> and one of Trustee's names, such as PolicyDeny.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>One sentence. It tells a peer no more than it needs.</summary>
    [JsonPropertyName("detail")]
    public required string Detail { get; init; }

    /// <summary>The status code's name.</summary>
    [JsonPropertyName("title")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Title { get; init; }

    /// <summary>The status code.</summary>
    [JsonPropertyName("status")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Status { get; init; }

    /// <summary>Kist's stable code, such as "session.expired".</summary>
    [JsonPropertyName("code")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Code { get; init; }

    /// <summary>What to look for in the broker's audit log.</summary>
    [JsonPropertyName("correlation_id")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? CorrelationId { get; init; }
}
