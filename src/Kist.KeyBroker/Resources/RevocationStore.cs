using System.Data.Common;
using System.Text.Json;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tenants;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Resources;

/// <summary>What was revoked.</summary>
/// <param name="Kind">"workload" (a key's thumbprint), "token" (its id) or "init-data" (hexadecimal, as measured).</param>
/// <param name="Value">Which one.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="At">When.</param>
/// <param name="By">By whom.</param>
sealed record Revocation(string Kind, string Value, string Reason, DateTimeOffset At, string By);

/// <summary>
/// Workloads that get nothing more, at once, though their tokens have not expired. A key or token is one running
/// workload, which may attest again; init-data is a workload's whole configuration, which may not.
/// </summary>
sealed class RevocationStore(Database database, TenantScope tenant)
{
    public static readonly string[] Kinds = ["workload", "token", "init-data"];

    public void Add(Revocation revocation) => database.Write(connection => connection.Execute(
        """
        INSERT INTO revocation (kind, value, reason, created_at, created_by) VALUES (@kind, @value, @reason, @at, @by)
        ON CONFLICT (kind, value) DO NOTHING
        """,
        ("@kind", revocation.Kind), ("@value", tenant.Qualify(revocation.Value)), ("@reason", revocation.Reason), ("@at", revocation.At), ("@by", revocation.By)));

    /// <summary>Lifts a revocation. False if there is none.</summary>
    public bool Remove(string kind, string value) => database.Write(connection => connection.Execute(
        "DELETE FROM revocation WHERE kind = @kind AND value = @value", ("@kind", kind), ("@value", tenant.Qualify(value))) > 0);

    public IReadOnlyList<Revocation> List() => database.Read(connection => connection.Query(
        $"SELECT kind, value, reason, created_at, created_by FROM revocation WHERE {tenant.Condition("value")} ORDER BY created_at",
        r => new Revocation(r.GetString(0), tenant.Strip(r.GetString(1)), r.GetString(2), r.Time(3), r.GetString(4)), tenant.Pattern));

    /// <summary>The revocation that concerns a token, or null.</summary>
    public Revocation? Of(EarToken token)
    {
        var evidence = token.Claims.GetProperty("submods").GetProperty("cpu0").GetProperty("ear.veraison.annotated-evidence");
        return database.Read(connection => Find(connection, "workload", token.Workload) ?? Find(connection, "token", token.Id) ?? OfInitData(connection, evidence));
    }

    /// <summary>The revocation that concerns evidence by its measured init-data, or null.</summary>
    public Revocation? OfInitData(JsonElement annotatedEvidence) => database.Read(connection => OfInitData(connection, annotatedEvidence));

    private Revocation? OfInitData(DbConnection connection, JsonElement annotatedEvidence) =>
        ClaimPath.Find(annotatedEvidence, "init_data") is { } digest ? Find(connection, "init-data", digest) : null;

    private Revocation? Find(DbConnection connection, string kind, string value) => connection.Single(
        "SELECT reason, created_at, created_by FROM revocation WHERE kind = @kind AND value = @value",
        r => new Revocation(kind, value, r.GetString(0), r.Time(1), r.GetString(2)), ("@kind", kind), ("@value", tenant.Qualify(value)));
}
