using System.Net;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>A registry answered with an error, or not at all.</summary>
public sealed class RegistryException : OperationFailedException
{
    internal RegistryException(
        string step, string subject, string reason, HttpStatusCode? status = null, string? hint = null, bool isTransient = false, Exception? inner = null)
        : base(step, subject, reason, hint, isTransient, inner) => Status = status;

    /// <summary>The status of the answer; null if there was none.</summary>
    public HttpStatusCode? Status { get; }
}

/// <summary>The body of a registry's error (distribution specification 1.1, Error codes).</summary>
sealed record RegistryErrorBody
{
    public IReadOnlyList<RegistryErrorItem>? Errors { get; init; }
}

sealed record RegistryErrorItem
{
    public string? Code { get; init; }

    public string? Message { get; init; }
}

/// <summary>The answer of a token server (distribution token authentication).</summary>
sealed record RegistryTokenBody
{
    public string? Token { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("expires_in")]
    public int? ExpiresIn { get; init; }
}

/// <summary>The answer to tags/list.</summary>
sealed record TagList
{
    public IReadOnlyList<string>? Tags { get; init; }
}
