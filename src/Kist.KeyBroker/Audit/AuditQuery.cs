using System.Data.Common;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Audit;

/// <summary>
/// What to look for in the audit log; null members do not matter. Each search reads along one index, so that its cost does
/// not grow with the log unless almost nothing matches what it asks for together.
/// </summary>
sealed record AuditQuery(
    long? Before = null, int Limit = 100, DateTimeOffset? From = null, DateTimeOffset? Until = null, string? Tenant = null, string? Kind = null,
    string? Outcome = null, string? Correlation = null, string? Resource = null, string? Workload = null, string? Actor = null, string? Tee = null, bool NoTenant = false)
{
    // Entries are in the order of their times but for what clocks of replicas differ.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    /// <summary>Entries that match, latest first.</summary>
    public List<AuditEntry> Run(DbConnection connection)
    {
        var conditions = new List<string> { "sequence >= @first", "sequence < @before" };
        var parameters = new List<(string, object?)>
        {
            ("@first", From is { } from ? AuditOrder.FirstAt(connection, from - ClockSkew) : 0),
            ("@before", Math.Min(Before ?? long.MaxValue, Until is { } until ? AuditOrder.FirstAt(connection, until + ClockSkew) : long.MaxValue)),
            ("@limit", Limit),
        };
        void Add(string condition, string name, object? value)
        {
            if (value is null)
                return;
            conditions.Add(condition);
            parameters.Add((name, value));
        }

        if (NoTenant)
            conditions.Add("tenant IS NULL");
        Add("at >= @from", "@from", From);
        Add("at < @until", "@until", Until);
        // The first that is given narrows the most: the others only filter what its index finds.
        var indexed = false;
        foreach (var (column, value) in new[] { ("correlation", Correlation), ("workload", Workload), ("resource", Resource), ("actor", Actor), ("tenant", Tenant), ("tee", Tee) })
        {
            Add(indexed ? $"({column} || '') = @{column}" : $"{column} = @{column}", $"@{column}", value);
            indexed |= value is not null;
        }

        Add(indexed ? "(kind || '') = @kind" : "kind = @kind", "@kind", Kind);
        Add(indexed ? "(outcome || '') = @outcome" : "outcome = @outcome", "@outcome", Outcome);
        return connection.Query(
            $"SELECT sequence, at, body FROM audit_entry WHERE {string.Join(" AND ", conditions)} ORDER BY sequence DESC LIMIT @limit", AuditEntry.Read, [.. parameters]);
    }
}
