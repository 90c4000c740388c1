using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Administration;

/// <summary>What is known of an administrator's token besides the token.</summary>
sealed record AdminTokenInfo(
    string Name, AdminRole Roles, DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset? Expires, DateTimeOffset? RevokedAt, string? Tenant);

/// <summary>
/// Administrators' bearer tokens: <c>kist_admin_</c> and 32 random bytes. What is stored is their SHA-256: a token has 256
/// bits of chance, so that a slow hash would add nothing.
/// </summary>
sealed class AdminTokens(Database database)
{
    private const string Prefix = "kist_admin_";
    private const int MaxTokenLength = 256;

    /// <summary>True for what looks like one of these tokens, of anybody or nobody.</summary>
    public static bool IsOne(string token) => token.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Makes a token. It is shown once, here.</summary>
    /// <exception cref="OperationFailedException">The name is taken.</exception>
    public string Create(string name, AdminRole roles, DateTimeOffset now, string by, DateTimeOffset? expires, string? tenant = null)
    {
        var token = Prefix + Base64Url.Encode(RandomNumberGenerator.GetBytes(32));
        database.Write(connection =>
        {
            if (connection.Scalar<long>("SELECT COUNT(*) FROM admin_token WHERE name = @name", ("@name", name)) > 0)
                throw new OperationFailedException("create an administrator's token", name, "the name is taken", "choose another; names of revoked tokens stay taken");
            connection.Execute(
                """
                INSERT INTO admin_token (digest, name, roles, created_at, created_by, expires, tenant)
                VALUES (@digest, @name, @roles, @at, @by, @expires, @tenant)
                """,
                ("@digest", Digest(token)), ("@name", name), ("@roles", AdminRoles.Format(roles)), ("@at", now), ("@by", by), ("@expires", expires), ("@tenant", tenant));
        });
        return token;
    }

    /// <summary>Whose token this is, or null if it is nobody's, has expired or was revoked.</summary>
    public AdminIdentity? Find(string token, DateTimeOffset now)
    {
        if (token.Length > MaxTokenLength || !IsOne(token))
            return null;
        return database.Read(connection => connection.Single(
            "SELECT name, roles, expires, revoked_at, tenant FROM admin_token WHERE digest = @digest",
            r => r.OptionalTime(3) is null && (r.OptionalTime(2) is not { } expires || now < expires) && AdminRoles.Parse(r.GetString(1)) is { } roles
                ? new AdminIdentity(r.GetString(0), roles, r.Text(4))
                : null,
            ("@digest", Digest(token))));
    }

    /// <summary>All tokens, or those of one tenant.</summary>
    public IReadOnlyList<AdminTokenInfo> List(string? tenant = null) => database.Read(connection => connection.Query(
        $"SELECT name, roles, created_at, created_by, expires, revoked_at, tenant FROM admin_token {(tenant is null ? "" : "WHERE tenant = @tenant ")}ORDER BY name",
        r => new AdminTokenInfo(r.GetString(0), AdminRoles.Parse(r.GetString(1)) ?? AdminRole.None, r.Time(2), r.GetString(3), r.OptionalTime(4), r.OptionalTime(5), r.Text(6)),
        tenant is null ? [] : [("@tenant", tenant)]));

    /// <summary>Ends a token, of anybody or of one tenant. False if there is none of this name that is in force.</summary>
    public bool Revoke(string name, DateTimeOffset now, string? tenant = null) => database.Write(connection => connection.Execute(
        $"UPDATE admin_token SET revoked_at = @now WHERE name = @name AND revoked_at IS NULL{(tenant is null ? "" : " AND tenant = @tenant")}",
        [("@name", name), ("@now", now), .. tenant is null ? Array.Empty<(string, object?)>() : [("@tenant", tenant)]]) > 0);

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
