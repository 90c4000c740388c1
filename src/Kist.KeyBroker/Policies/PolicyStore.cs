using System.Data.Common;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tenants;

namespace Kist.KeyBroker.Policies;

/// <summary>Which kind of question a policy answers.</summary>
enum PolicyKind
{
    /// <summary>How trustworthy is this evidence? Scope: the policy's id, such as "default_cpu".</summary>
    Attestation,

    /// <summary>
    /// May this workload have this secret? Scope: "" for all, "repository", or "repository/type/tag". The narrowest that
    /// exists is in force; the one with the scope "floor" must allow it as well.
    /// </summary>
    Resource,
}

/// <summary>A policy as stored.</summary>
/// <param name="Kind">What it answers.</param>
/// <param name="Scope">What it is for.</param>
/// <param name="Version">Counts from 1; 0 for the built-in default.</param>
/// <param name="Text">The Rego text.</param>
/// <param name="At">When it was set.</param>
/// <param name="By">Who set it.</param>
sealed record StoredPolicy(PolicyKind Kind, string Scope, long Version, string Text, DateTimeOffset At, string By)
{
    /// <summary>Its name in errors and the audit log.</summary>
    public string Name => $"{(Kind == PolicyKind.Attestation ? "attestation" : "resource")}:{(Scope.Length == 0 ? "global" : Scope)}@{Version}";
}

/// <summary>Policies with their history.</summary>
sealed class PolicyStore(Database database, TenantScope tenant)
{
    /// <summary>The scope of the resource policy that must always allow.</summary>
    public const string Floor = "floor";

    /// <summary>Attestation policy in force for an id, the built-in default if none was set, or null.</summary>
    public StoredPolicy? Attestation(string policyId) =>
        Find(PolicyKind.Attestation, policyId)
        ?? (DefaultPolicies.Attestation(policyId) is { } text ? BuiltIn(PolicyKind.Attestation, policyId, text) : null);

    /// <summary>All resource policies that must allow access to this path: the narrowest one and the floor.</summary>
    public IReadOnlyList<StoredPolicy> Resource(string repository, string path) => database.Read<IReadOnlyList<StoredPolicy>>(connection =>
    {
        var narrowest = Find(connection, PolicyKind.Resource, path) ?? Find(connection, PolicyKind.Resource, repository)
            ?? Find(connection, PolicyKind.Resource, "") ?? BuiltIn(PolicyKind.Resource, "", DefaultPolicies.Resource);
        return [.. Floors(connection), narrowest];
    });

    /// <summary>The same, were <paramref name="candidate"/> in force.</summary>
    public IReadOnlyList<StoredPolicy> ResourceWith(StoredPolicy candidate, string repository, string path)
    {
        StoredPolicy? In(string scope) => candidate.Scope == scope ? candidate : Find(PolicyKind.Resource, scope);
        var narrowest = In(path) ?? In(repository) ?? In("") ?? BuiltIn(PolicyKind.Resource, "", DefaultPolicies.Resource);
        var floors = database.Read(Floors).Where(f => candidate.Scope != Floor || f.Scope != Floor);
        return candidate.Scope == Floor ? [.. floors, candidate, narrowest] : [.. floors, narrowest];
    }

    /// <summary>The policies that must allow what is no secret and so has no scope: the global one and the floor.</summary>
    public IReadOnlyList<StoredPolicy> Global() => Resource("", "");

    /// <summary>The policies that must always allow: the operator's, and the tenant's own.</summary>
    private List<StoredPolicy> Floors(DbConnection connection)
    {
        var operators = Find(connection, PolicyKind.Resource, Floor, TenantScope.Default);
        var own = tenant.IsDefault ? null : Find(connection, PolicyKind.Resource, Floor);
        return [.. new[] { operators, own }.OfType<StoredPolicy>()];
    }

    /// <summary>Stores a new version, and makes it the one in force.</summary>
    public StoredPolicy Set(PolicyKind kind, string scope, string text, DateTimeOffset now, string by) => database.Write(connection =>
    {
        var version = 1 + connection.Scalar<long>(
            "SELECT MAX(version) FROM policy WHERE kind = @kind AND scope = @scope", ("@kind", Name(kind)), ("@scope", tenant.Qualify(scope)));
        connection.Execute(
            "INSERT INTO policy (kind, scope, version, text, created_at, created_by) VALUES (@kind, @scope, @version, @text, @at, @by)",
            ("@kind", Name(kind)), ("@scope", tenant.Qualify(scope)), ("@version", version), ("@text", text), ("@at", now), ("@by", by));
        return new StoredPolicy(kind, scope, version, text, now, by);
    });

    /// <summary>Takes a scope's policy out of force; the wider one or the default takes its place. False if there was none.</summary>
    public bool Remove(PolicyKind kind, string scope) => database.Write(connection => connection.Execute(
        "UPDATE policy SET deleted = 1 WHERE kind = @kind AND scope = @scope AND deleted = 0", ("@kind", Name(kind)), ("@scope", tenant.Qualify(scope))) > 0);

    /// <summary>Every policy in force, and with <paramref name="history"/> every version.</summary>
    public IReadOnlyList<StoredPolicy> List(PolicyKind kind, bool history = false) => database.Read(connection => connection.Query(
        history
            ? $"SELECT scope, version, text, created_at, created_by FROM policy WHERE kind = @kind AND {tenant.Condition("scope")} ORDER BY scope, version"
            : $"""
              SELECT scope, version, text, created_at, created_by FROM policy p WHERE kind = @kind AND {tenant.Condition("scope")} AND deleted = 0
              AND version = (SELECT MAX(version) FROM policy q WHERE q.kind = p.kind AND q.scope = p.scope) ORDER BY scope
              """,
        r => new StoredPolicy(kind, tenant.Strip(r.GetString(0)), r.GetInt64(1), r.GetString(2), r.Time(3), r.GetString(4)),
        ("@kind", Name(kind)), tenant.Pattern));

    /// <summary>The policy in force for exactly this scope, or null.</summary>
    public StoredPolicy? Find(PolicyKind kind, string scope) => database.Read(connection => Find(connection, kind, scope));

    private StoredPolicy? Find(DbConnection connection, PolicyKind kind, string scope) => Find(connection, kind, scope, tenant);

    private static StoredPolicy? Find(DbConnection connection, PolicyKind kind, string scope, TenantScope tenant) => connection.Single(
        "SELECT version, text, created_at, created_by, deleted FROM policy WHERE kind = @kind AND scope = @scope ORDER BY version DESC LIMIT 1",
        r => r.GetInt64(4) == 0 ? new StoredPolicy(kind, scope, r.GetInt64(0), r.GetString(1), r.Time(2), r.GetString(3)) : null,
        ("@kind", Name(kind)), ("@scope", tenant.Qualify(scope)));

    private static StoredPolicy BuiltIn(PolicyKind kind, string scope, string text) => new(kind, scope, 0, text, DateTimeOffset.UnixEpoch, "kist");

    private static string Name(PolicyKind kind) => kind == PolicyKind.Attestation ? "attestation" : "resource";
}
