namespace Kist.KeyBroker.Administration;

/// <summary>Whoever's claim has this value has these roles.</summary>
/// <param name="Value">The claim's value, or one of its values.</param>
/// <param name="Roles">The roles.</param>
/// <param name="Tenant">The tenant in which they hold; null for all.</param>
sealed record RoleMapping(string Value, AdminRole Roles, string? Tenant);

/// <summary>
/// Somebody who says who administrators are, by JSON web tokens (OpenID Connect Core 1.0; RFC 7519): pinned by issuer,
/// audience and where its keys are.
/// </summary>
sealed record IdentityProvider
{
    /// <summary>"iss" of its tokens, exactly.</summary>
    public required string Issuer { get; init; }

    /// <summary>What "aud" of its tokens must name.</summary>
    public required string Audience { get; init; }

    /// <summary>Where its keys are (RFC 7517); null to ask <c>ISSUER/.well-known/openid-configuration</c>.</summary>
    public Uri? KeySetAddress { get; init; }

    /// <summary>A file with its keys, in place of an address.</summary>
    public string? KeySetFile { get; init; }

    /// <summary>The authority of its server's certificate (PEM); null for the machine's own.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>The claim that holds roles or groups; members of objects after dots.</summary>
    public string RoleClaim { get; init; } = "role";

    /// <summary>The claim that holds who it is.</summary>
    public string NameClaim { get; init; } = "sub";

    /// <summary>The console as this provider's client; null if nobody signs in to it by redirect.</summary>
    public ConsoleClient? ConsoleClient { get; init; }

    /// <summary>What the claim's values mean; none means nobody.</summary>
    public required IReadOnlyList<RoleMapping> Mappings { get; init; }
}
