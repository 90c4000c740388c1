using System.Data.Common;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tenants;

namespace Kist.KeyBroker.Changes;

/// <summary>A change that waits for a second person, or was decided.</summary>
sealed record Proposal(
    string Id, AdminChange Change, DateTimeOffset ProposedAt, string ProposedBy, string? Decision, DateTimeOffset? DecidedAt, string? DecidedBy);

/// <summary>Proposed changes, with their history.</summary>
sealed class ProposalStore(Database database, TenantScope tenant)
{
    private const string SelectAll = "SELECT id, kind, subject, body, proposed_at, proposed_by, decision, decided_at, decided_by FROM proposal";

    public Proposal Add(AdminChange change, DateTimeOffset now, string by)
    {
        var proposal = new Proposal(Guid.NewGuid().ToString("N"), change, now, by, null, null, null);
        database.Write(connection => connection.Execute(
            "INSERT INTO proposal (id, kind, subject, body, proposed_at, proposed_by) VALUES (@id, @kind, @subject, @body, @at, @by)",
            ("@id", proposal.Id), ("@kind", change.Kind), ("@subject", tenant.Qualify(change.Subject)), ("@body", change.Body), ("@at", now), ("@by", by)));
        return proposal;
    }

    public Proposal? Find(string id) => database.Read(connection => connection.Single(
        $"{SelectAll} WHERE id = @id AND {tenant.Condition("subject")}", Read, ("@id", id), tenant.Pattern));

    /// <summary>Proposals that wait, or all of them, oldest first.</summary>
    public IReadOnlyList<Proposal> List(bool decided) => database.Read(connection => connection.Query(
        $"{SelectAll} WHERE {tenant.Condition("subject")}{(decided ? "" : " AND decision IS NULL")} ORDER BY proposed_at, id LIMIT 1000", Read, tenant.Pattern));

    /// <summary>Decides a proposal. False if it is unknown or was decided: of several who decide, one does.</summary>
    public bool Decide(string id, string decision, DateTimeOffset now, string by) => database.Write(connection => connection.Execute(
        "UPDATE proposal SET decision = @decision, decided_at = @now, decided_by = @by WHERE id = @id AND decision IS NULL",
        ("@id", id), ("@decision", decision), ("@now", now), ("@by", by)) > 0);

    private Proposal Read(DbDataReader r) => new(
        r.GetString(0), new AdminChange(r.GetString(1), tenant.Strip(r.GetString(2)), r.Bytes(3)), r.Time(4), r.GetString(5), r.Text(6), r.OptionalTime(7), r.Text(8));
}
