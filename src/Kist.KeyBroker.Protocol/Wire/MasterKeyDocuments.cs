using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Body of POST /kist/v1/master-key: the key at this location is to wrap from now on.</summary>
public sealed record RotateMasterKeyRequest
{
    /// <summary>A location as <c>kist broker serve --master-key</c> takes it; every replica must find the key there.</summary>
    [JsonPropertyName("location")]
    public required string Location { get; init; }
}

/// <summary>A change of master key.</summary>
public sealed record MasterKeyChangeDocument
{
    /// <summary>The new key.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>Where it is.</summary>
    [JsonPropertyName("location")]
    public required string Location { get; init; }

    /// <summary>The key before it.</summary>
    [JsonPropertyName("predecessor")]
    public required string Predecessor { get; init; }

    /// <summary>When.</summary>
    [JsonPropertyName("at")]
    public required DateTimeOffset At { get; init; }

    /// <summary>Who changed it.</summary>
    [JsonPropertyName("by")]
    public required string By { get; init; }
}

/// <summary>Answer to GET and POST /kist/v1/master-key.</summary>
public sealed record MasterKeyStatus
{
    /// <summary>The key that wraps.</summary>
    [JsonPropertyName("current")]
    public required string Current { get; init; }

    /// <summary>From keys to how many versions of secrets they wrap.</summary>
    [JsonPropertyName("wrapped")]
    public required IReadOnlyDictionary<string, long> Wrapped { get; init; }

    /// <summary>The changes, oldest first.</summary>
    [JsonPropertyName("changes")]
    public required IReadOnlyList<MasterKeyChangeDocument> Changes { get; init; }
}

/// <summary>Answer to POST /kist/v1/resources/rewrap.</summary>
public sealed record RewrapReport
{
    /// <summary>How many versions of secrets this request wrapped anew.</summary>
    [JsonPropertyName("rewrapped")]
    public required long Rewrapped { get; init; }

    /// <summary>How many another master key still wraps: ask again.</summary>
    [JsonPropertyName("left")]
    public required long Left { get; init; }
}
