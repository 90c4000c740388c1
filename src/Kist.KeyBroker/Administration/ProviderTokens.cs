using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.References;

namespace Kist.KeyBroker.Administration;

/// <summary>
/// Administrators who sign in with a JSON web token of an identity provider: signature, issuer, audience and times are
/// checked (RFC 7519, RFC 8725), then a claim is mapped to roles. Whoever has no mapped role is nobody.
/// </summary>
sealed class ProviderTokens(IdentityProviders providers, TimeProvider time) : IDisposable
{
    private const int MaxTokenLength = 16 * 1024;
    private const string Structure = "administrator's token";

    // Clocks differ a little; and a token that is good for days is no sign-in.
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(24);

    private readonly Dictionary<string, (IdentityProvider Provider, ProviderKeys Keys)> _providers =
        providers.All.ToDictionary(p => p.Issuer, p => (p, new ProviderKeys(p, time)), StringComparer.Ordinal);

    /// <summary>Whose token this is, or null if it is nobody's who administers here.</summary>
    /// <exception cref="OperationFailedException">The provider's keys are not to be had.</exception>
    public AdminIdentity? Find(string text, DateTimeOffset now)
    {
        if (_providers.Count == 0 || text.Length > MaxTokenLength)
            return null;
        try
        {
            var token = JwsToken.Parse(text);
            using var document = StrictJson.ParseObject(token.Payload.Span, MaxTokenLength, Structure);
            var claims = document.RootElement;
            // The issuer is read before it is trusted: it only chooses whose keys must verify.
            if (StrictJson.OptionalText(claims, "iss", Structure) is not { } issuer || !_providers.TryGetValue(issuer, out var found))
                return null;
            return found.Keys.For(token.KeyId).Any(token.Verify) && IsFor(claims, found.Provider) && IsInTime(claims, now)
                ? Identify(found.Provider, claims)
                : null;
        }
        catch (MalformedDataException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        foreach (var (_, keys) in _providers.Values)
            keys.Dispose();
    }

    /// <summary>Access tokens name the broker as their audience, ID tokens the console.</summary>
    private static bool IsFor(JsonElement claims, IdentityProvider provider) => claims.TryGetProperty("aud", out var aud)
        && Texts(aud).Any(a => a == provider.Audience || (provider.ConsoleClient is { } console && a == console.Id));

    private static bool IsInTime(JsonElement claims, DateTimeOffset now)
    {
        var (issued, from, until) = (Time(claims, "iat"), Time(claims, "nbf"), Time(claims, "exp"));
        return until is not null && now < until + Leeway
            && (from is null || now >= from - Leeway)
            && issued is not null && now >= issued - Leeway && until - issued <= LongestLife;
    }

    private static DateTimeOffset? Time(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty(name, out var value))
            return null;
        const double latest = 253_402_300_799;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is >= 0 and < latest
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : throw new MalformedDataException(Structure, -1, $"\"{name}\" is no time");
    }

    private static AdminIdentity? Identify(IdentityProvider provider, JsonElement claims)
    {
        if (Member(claims, provider.NameClaim) is not { ValueKind: JsonValueKind.String } name || Member(claims, provider.RoleClaim) is not { } held)
            return null;
        var values = Texts(held).ToHashSet(StringComparer.Ordinal);
        var mapped = provider.Mappings.Where(m => values.Contains(m.Value)).ToList();
        if (mapped.Count == 0)
            return null;
        // Roles of all tenants come first; roles of several tenants are never added up.
        var tenant = mapped.Exists(m => m.Tenant is null) ? null : mapped[0].Tenant;
        var roles = mapped.Where(m => m.Tenant == tenant).Aggregate(AdminRole.None, (sum, m) => sum | m.Roles);
        var identity = $"{name.GetString()}@{provider.Issuer}";
        return ReferenceStore.IsName(identity) ? new AdminIdentity(identity, roles, tenant) : null;
    }

    /// <summary>A claim, or a member of objects within it. A claim whose name has dots comes first.</summary>
    private static JsonElement? Member(JsonElement claims, string path)
    {
        if (claims.TryGetProperty(path, out var whole))
            return whole;
        var current = claims;
        foreach (var part in path.Split('.'))
        {
            if (current.ValueKind != JsonValueKind.Object || !current.TryGetProperty(part, out current))
                return null;
        }

        return current;
    }

    /// <summary>A text, or the texts of an array.</summary>
    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => value.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!),
        _ => [],
    };
}
