using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Tenants;

/// <summary>A tenant.</summary>
sealed record Tenant(string Name, DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset? ClosedAt);

/// <summary>Which tenants there are. A closed one keeps its objects, and gets nothing.</summary>
sealed class TenantStore(Database database)
{
    /// <summary>True if there is such a tenant, and it is not closed.</summary>
    public bool IsOpen(string name) => database.Read(connection =>
        connection.Scalar<long>("SELECT COUNT(*) FROM tenant WHERE name = @name AND closed_at IS NULL", ("@name", name)) > 0);

    /// <summary>Makes a tenant, or opens a closed one again. False if it is there and open.</summary>
    public bool Open(string name, DateTimeOffset now, string by) => database.Write(connection => connection.Execute(
        """
        INSERT INTO tenant (name, created_at, created_by) VALUES (@name, @at, @by)
        ON CONFLICT (name) DO UPDATE SET closed_at = NULL WHERE tenant.closed_at IS NOT NULL
        """,
        ("@name", name), ("@at", now), ("@by", by)) > 0);

    /// <summary>Closes a tenant. False if there is none that is open.</summary>
    public bool Close(string name, DateTimeOffset now) => database.Write(connection =>
        connection.Execute("UPDATE tenant SET closed_at = @now WHERE name = @name AND closed_at IS NULL", ("@name", name), ("@now", now)) > 0);

    public IReadOnlyList<Tenant> List() => database.Read(connection => connection.Query(
        "SELECT name, created_at, created_by, closed_at FROM tenant ORDER BY name", r => new Tenant(r.GetString(0), r.Time(1), r.GetString(2), r.OptionalTime(3))));
}
