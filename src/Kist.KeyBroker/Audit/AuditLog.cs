using System.Data.Common;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tenants;

namespace Kist.KeyBroker.Audit;

/// <summary>
/// The log of decisions: every entry is a leaf of a Merkle tree, so that one who kept an earlier tree head notices any
/// entry that is changed, removed or inserted. An entry is committed before its decision takes effect.
/// </summary>
sealed class AuditLog(Database database, TimeProvider time, TenantScope tenant)
{
    /// <summary>Appends an entry.</summary>
    /// <returns>Its position in the log, from 0.</returns>
    public long Append(AuditRecord record) => Append(record, time.GetUtcNow());

    /// <summary>Appends an entry of another moment than now.</summary>
    internal long Append(AuditRecord record, DateTimeOffset at) => database.Write(Insertion(record, at));

    /// <summary>Appends an entry. When the task ends it is committed, together with others' or alone.</summary>
    public Task<long> AppendAsync(AuditRecord record) => database.WriteAsync(Insertion(record, time.GetUtcNow()));

    /// <summary>
    /// Appends an entry if <paramref name="condition"/> holds, both in one transaction, so that what it counts and what is
    /// recorded agree. Null if it does not hold.
    /// </summary>
    public Task<long?> AppendIfAsync(Func<DbConnection, bool> condition, AuditRecord record)
    {
        var insert = Insertion(record, time.GetUtcNow());
        return database.WriteAsync(connection => condition(connection) ? (long?)insert(connection) : null);
    }

    private Func<DbConnection, long> Insertion(AuditRecord record, DateTimeOffset at)
    {
        record = tenant.IsDefault ? record : record with { Tenant = tenant.Name };
        // Compressed before the queue at the writers' lock, not in it.
        var attachments = record.Attachments.Select(a => (Attachment: a, Stored: a.Compress())).ToList();
        return connection =>
        {
            // The row's lock makes appends queue up on any database; sequences have no gaps.
            var sequence = connection.Scalar<long>("UPDATE audit_size SET size = size + 1 WHERE id = 1 RETURNING size") - 1;
            foreach (var (attachment, stored) in attachments)
                Store(connection, attachment, stored, at);
            var body = record.Write(sequence, at);
            connection.Execute(
                """
                INSERT INTO audit_entry (sequence, at, kind, outcome, correlation, tenant, tee, resource, workload, actor, body)
                VALUES (@sequence, @at, @kind, @outcome, @correlation, @tenant, @tee, @resource, @workload, @actor, @body)
                """,
                ("@sequence", sequence), ("@at", at), ("@kind", record.Kind), ("@outcome", record.Outcome), ("@correlation", record.Correlation),
                ("@tenant", record.Tenant), ("@tee", record.Tee), ("@resource", record.Resource), ("@workload", record.Workload), ("@actor", record.Actor),
                ("@body", body));
            AuditTree.AddLeaf(connection, sequence, MerkleTree.LeafHash(body));
            return sequence;
        };
    }

    /// <summary>How many entries there are, and the root over them.</summary>
    public (long Size, byte[] Root) Head() => database.Read(connection =>
    {
        var size = AuditTree.Size(connection);
        return (size, AuditTree.Prover(connection).Root(size));
    });

    /// <summary>The audit path of an entry in the tree of this size, or null if there are not so many entries.</summary>
    public List<byte[]>? Inclusion(long sequence, long size) => database.Read(connection =>
        sequence < 0 || sequence >= size || size > AuditTree.Size(connection) ? null : AuditTree.Prover(connection).Inclusion(sequence, size));

    /// <summary>The proof that the tree of the second size begins with that of the first, or null if there are not so many entries.</summary>
    public List<byte[]>? Consistency(long first, long second) => database.Read(connection =>
        first < 0 || first > second || second > AuditTree.Size(connection) ? null : AuditTree.Prover(connection).Consistency(first, second));

    /// <summary>Entries from a position on, in order.</summary>
    public IReadOnlyList<AuditEntry> Entries(long from, int limit) => database.Read(connection => connection.Query(
        "SELECT sequence, at, body FROM audit_entry WHERE sequence >= @from ORDER BY sequence LIMIT @limit", AuditEntry.Read,
        ("@from", Math.Max(from, AuditCheckpoint.SizeOfLatest(connection))), ("@limit", limit)));

    /// <summary>Entries that match, latest first; for a tenant those of its own only.</summary>
    public IReadOnlyList<AuditEntry> Search(AuditQuery query) => database.Read((tenant.IsDefault ? query : query with { Tenant = tenant.Name }).Run);

    /// <summary>As <see cref="Search"/>, without what is of other tenants.</summary>
    public IReadOnlyList<AuditEntry> SearchOwn(AuditQuery query) => Search(query with { NoTenant = tenant.IsDefault });

    /// <summary>A document that an entry names; null if there is none, it was too large to keep, or its time is over.</summary>
    public byte[]? Attachment(string digest) => database.Read(connection => connection.Scalar<byte[]>(
        "SELECT content FROM audit_attachment WHERE digest = @digest", ("@digest", digest))) is { } content ? AuditAttachment.Decompress(content) : null;

    private static void Store(DbConnection connection, AuditAttachment attachment, byte[]? stored, DateTimeOffset at)
    {
        if (stored is null)
            return;
        connection.Execute(
            """
            INSERT INTO audit_attachment (digest, kind, content, size, last_used) VALUES (@digest, @kind, @content, @size, @at)
            ON CONFLICT (digest) DO UPDATE SET last_used = excluded.last_used
            """,
            ("@digest", attachment.Digest), ("@kind", attachment.Kind), ("@content", stored), ("@size", stored.Length), ("@at", at));
    }
}
