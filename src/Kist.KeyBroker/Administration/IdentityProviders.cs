using System.Text.Json;
using Kist.Formats;

namespace Kist.KeyBroker.Administration;

/// <summary>
/// The identity providers of a file:
/// <code>
/// { "providers": [ {
///     "issuer": "https://id.example/realms/ops", "audience": "kist",
///     "jwks_uri": "https://…" or "jwks_file": "…" or neither, "ca_file": "…",
///     "role_claim": "realm_access.roles", "name_claim": "email",
///     "console": { "client_id": "kist-console", "client_secret_file": "…" or not, "scope": "openid email", "label": "Example" },
///     "roles": [ { "value": "kist-admins", "roles": "administrator" }, { "value": "acme-ops", "roles": "secret-author,auditor", "tenant": "acme" } ]
/// } ] }
/// </code>
/// </summary>
public sealed class IdentityProviders
{
    private const string Structure = "identity providers";
    private const int MaxBytes = 1024 * 1024;

    private IdentityProviders(IReadOnlyList<IdentityProvider> all) => All = all;

    /// <summary>Nobody: administrators have tokens of the broker's own only.</summary>
    public static IdentityProviders None { get; } = new([]);

    internal IReadOnlyList<IdentityProvider> All { get; }

    /// <summary>Reads the file's content.</summary>
    /// <exception cref="MalformedDataException">A member is missing, unknown or of the wrong kind.</exception>
    public static IdentityProviders Parse(ReadOnlySpan<byte> utf8Json)
    {
        using var document = StrictJson.ParseObject(utf8Json, MaxBytes, Structure);
        RefuseOthers(document.RootElement, ["providers"]);
        if (!document.RootElement.TryGetProperty("providers", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
            throw Malformed("\"providers\" must be an array with at least one");
        var all = list.EnumerateArray().Select(Provider).ToList();
        return all.DistinctBy(p => p.Issuer).Count() == all.Count ? new IdentityProviders(all) : throw Malformed("an issuer comes twice");
    }

    private static IdentityProvider Provider(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw Malformed("a provider must be an object");
        RefuseOthers(json, ["issuer", "audience", "jwks_uri", "jwks_file", "ca_file", "role_claim", "name_claim", "console", "roles"]);
        var (address, file) = (StrictJson.OptionalText(json, "jwks_uri", Structure), StrictJson.OptionalText(json, "jwks_file", Structure));
        Uri? keys = null;
        if ((address is not null && file is not null) || (address is not null && !Uri.TryCreate(address, UriKind.Absolute, out keys)))
            throw Malformed("\"jwks_uri\" is no address, or stands beside \"jwks_file\"");
        if (!json.TryGetProperty("roles", out var roles) || roles.ValueKind != JsonValueKind.Array || roles.GetArrayLength() == 0)
            throw Malformed("\"roles\" must be an array with at least one");
        var issuer = StrictJson.RequiredText(json, "issuer", Structure);
        if (file is null && !Uri.TryCreate(issuer, UriKind.Absolute, out _))
            throw Malformed("\"issuer\" must be an address, unless \"jwks_file\" is given");
        return new IdentityProvider
        {
            Issuer = issuer,
            Audience = StrictJson.RequiredText(json, "audience", Structure),
            KeySetAddress = keys,
            KeySetFile = file,
            AuthorityFile = StrictJson.OptionalText(json, "ca_file", Structure),
            RoleClaim = StrictJson.OptionalText(json, "role_claim", Structure) ?? "role",
            NameClaim = StrictJson.OptionalText(json, "name_claim", Structure) ?? "sub",
            ConsoleClient = json.TryGetProperty("console", out var console) ? Console(console, issuer) : null,
            Mappings = [.. roles.EnumerateArray().Select(Mapping)],
        };
    }

    private static ConsoleClient Console(JsonElement json, string issuer)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw Malformed("\"console\" must be an object");
        if (!Uri.TryCreate(issuer, UriKind.Absolute, out var address))
            throw Malformed("the issuer of a provider to sign in with must be an address");
        RefuseOthers(json, ["client_id", "client_secret_file", "scope", "label"]);
        var scope = StrictJson.OptionalText(json, "scope", Structure) ?? "openid profile email";
        if (!scope.Split(' ').Contains("openid"))
            throw Malformed("\"scope\" must have \"openid\" in it");
        return new ConsoleClient(
            StrictJson.RequiredText(json, "client_id", Structure), StrictJson.OptionalText(json, "client_secret_file", Structure), scope,
            StrictJson.OptionalText(json, "label", Structure) ?? address.Host);
    }

    private static RoleMapping Mapping(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw Malformed("a role must be an object");
        RefuseOthers(json, ["value", "roles", "tenant"]);
        var roles = AdminRoles.Parse(StrictJson.RequiredText(json, "roles", Structure)) ?? throw Malformed($"roles are {string.Join(", ", AdminRoles.All)}");
        return new RoleMapping(StrictJson.RequiredText(json, "value", Structure), roles, StrictJson.OptionalText(json, "tenant", Structure));
    }

    private static void RefuseOthers(JsonElement json, string[] known)
    {
        foreach (var member in json.EnumerateObject().Where(m => !known.Contains(m.Name)))
            throw Malformed($"\"{member.Name}\" is not known here");
    }

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
