using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Audit;

/// <summary>Removes from the audit log what its policy does not keep, a little at a time, so that requests go on.</summary>
sealed class AuditRetention(Database database, AuditLog audit, SigningKey key, RetentionPolicy policy, TimeProvider time)
{
    private const int Batch = 500;

    /// <summary>Removes what is to go by now. Several replicas may do it at once.</summary>
    public void Run(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (policy.Entries is { } entries)
            RemoveEntries(now - entries, now, cancellationToken);
        if (policy.Evidence is { } evidence)
            RemoveAttachments("kind = 'evidence' AND last_used < @cutoff", now - evidence, cancellationToken);
        if (policy.EvidenceBytes is { } bytes)
            ShrinkEvidence(bytes, cancellationToken);
    }

    private void RemoveEntries(DateTimeOffset cutoff, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var moved = database.Write(connection =>
        {
            var (before, size) = (AuditCheckpoint.SizeOfLatest(connection), AuditOrder.FirstAt(connection, cutoff));
            if (size <= before)
                return false;
            // From this transaction on the log begins here, whether or not the rows below are gone yet.
            var head = TreeHeads.Sign(key, size, AuditTree.Prover(connection).Root(size), now);
            AuditCheckpoint.Add(connection, head);
            audit.Append(new AuditRecord
            {
                Kind = "audit.prune",
                Outcome = "allowed",
                Correlation = Guid.NewGuid().ToString("N"),
                Actor = "kist",
                More = writer =>
                {
                    writer.WriteNumber("from"u8, before);
                    writer.WriteNumber("before"u8, size);
                    writer.WriteString("root"u8, head.Root);
                },
            });
            return true;
        });
        Repeat(
            "DELETE FROM audit_entry WHERE sequence IN (SELECT sequence FROM audit_entry WHERE sequence < (SELECT MAX(size) FROM audit_checkpoint) ORDER BY sequence LIMIT @batch)",
            cancellationToken);
        // What only removed entries pointed to was not used since. It is looked for when the beginning has moved, since it takes
        // a look at all of them; what a killed process left is found the next time.
        if (moved)
            RemoveAttachments("last_used < @cutoff", cutoff, cancellationToken);
    }

    private void RemoveAttachments(string condition, DateTimeOffset cutoff, CancellationToken cancellationToken) => Repeat(
        $"DELETE FROM audit_attachment WHERE digest IN (SELECT digest FROM audit_attachment WHERE {condition} ORDER BY last_used LIMIT @batch)",
        cancellationToken, ("@cutoff", cutoff));

    private void ShrinkEvidence(long limit, CancellationToken cancellationToken)
    {
        while (database.Read(connection => connection.Scalar<long>("SELECT CAST(SUM(size) AS BIGINT) FROM audit_attachment WHERE kind = 'evidence'")) > limit)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var removed = database.Write(connection => connection.Execute(
                "DELETE FROM audit_attachment WHERE digest IN (SELECT digest FROM audit_attachment WHERE kind = 'evidence' ORDER BY last_used LIMIT @batch)", ("@batch", Batch)));
            if (removed == 0)
                return;
        }
    }

    private void Repeat(string sql, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters)
    {
        (string, object?)[] all = [.. parameters, ("@batch", Batch)];
        while (database.Write(connection => connection.Execute(sql, all)) > 0)
            cancellationToken.ThrowIfCancellationRequested();
    }
}
