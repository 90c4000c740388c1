using System.Data.Common;
using System.IO.Compression;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Audit;

/// <summary>An entry as stored.</summary>
sealed record AuditEntry(long Sequence, DateTimeOffset At, byte[] Body);

/// <summary>What to look for; null members do not matter.</summary>
sealed record AuditQuery(
    long? Before = null, int Limit = 100, DateTimeOffset? From = null, DateTimeOffset? Until = null,
    string? Kind = null, string? Outcome = null, string? Correlation = null, string? Resource = null, string? Workload = null, string? Tee = null);

/// <summary>
/// The log of decisions: every entry is a leaf of a Merkle tree, so that one who kept an earlier tree head notices any
/// entry that is changed, removed or inserted. An entry is committed before its decision takes effect.
/// </summary>
sealed class AuditLog(Database database, TimeProvider time)
{
    // What is decompressed is bounded by what a request could bring.
    private const int MaxAttachmentBytes = 32 * 1024 * 1024;

    /// <summary>Appends an entry.</summary>
    /// <returns>Its position in the log, from 0.</returns>
    public long Append(AuditRecord record) => database.Write(connection => Append(connection, record));

    /// <summary>
    /// Appends an entry if <paramref name="condition"/> holds, both in one transaction, so that what it counts and what is
    /// recorded agree. Null if it does not hold.
    /// </summary>
    public long? AppendIf(Func<DbConnection, bool> condition, AuditRecord record) =>
        database.Write(connection => condition(connection) ? (long?)Append(connection, record) : null);

    /// <summary>Appends within a transaction of the caller, so that the entry is there if and only if its change is.</summary>
    public long Append(DbConnection connection, AuditRecord record)
    {
        // The row's lock makes appends queue up on any database; sequences have no gaps.
        var sequence = connection.Scalar<long>("UPDATE audit_size SET size = size + 1 WHERE id = 1 RETURNING size") - 1;
        var at = time.GetUtcNow();
        var body = record.Write(sequence, at);
        foreach (var attachment in record.Attachments)
        {
            connection.Execute(
                "INSERT INTO audit_attachment (digest, kind, content) VALUES (@digest, @kind, @content) ON CONFLICT (digest) DO NOTHING",
                ("@digest", attachment.Digest), ("@kind", attachment.Kind), ("@content", Compress(attachment.Content)));
        }

        connection.Execute(
            """
            INSERT INTO audit_entry (sequence, at, kind, outcome, correlation, tee, resource, workload, actor, body)
            VALUES (@sequence, @at, @kind, @outcome, @correlation, @tee, @resource, @workload, @actor, @body)
            """,
            ("@sequence", sequence), ("@at", at), ("@kind", record.Kind), ("@outcome", record.Outcome), ("@correlation", record.Correlation),
            ("@tee", record.Tee), ("@resource", record.Resource), ("@workload", record.Workload), ("@actor", record.Actor), ("@body", body));
        AddLeaf(connection, sequence, MerkleTree.LeafHash(body));
        return sequence;
    }

    /// <summary>How many entries there are, and the root over them.</summary>
    public (long Size, byte[] Root) Head() => database.Read(connection =>
    {
        var size = Size(connection);
        return (size, Prover(connection).Root(size));
    });

    /// <summary>The audit path of an entry in the tree of this size, or null if there are not so many entries.</summary>
    public List<byte[]>? Inclusion(long sequence, long size) => database.Read(connection =>
        sequence < 0 || sequence >= size || size > Size(connection) ? null : Prover(connection).Inclusion(sequence, size));

    /// <summary>The proof that the tree of the second size begins with that of the first, or null if there are not so many entries.</summary>
    public List<byte[]>? Consistency(long first, long second) => database.Read(connection =>
        first < 0 || first > second || second > Size(connection) ? null : Prover(connection).Consistency(first, second));

    /// <summary>Entries from a position on, in order.</summary>
    public IReadOnlyList<AuditEntry> Entries(long from, int limit) => database.Read(connection => connection.Query(
        "SELECT sequence, at, body FROM audit_entry WHERE sequence >= @from ORDER BY sequence LIMIT @limit", ReadEntry, ("@from", from), ("@limit", limit)));

    /// <summary>Entries that match, latest first.</summary>
    public IReadOnlyList<AuditEntry> Search(AuditQuery query)
    {
        var conditions = new List<string> { "sequence < @before" };
        var parameters = new List<(string, object?)> { ("@before", query.Before ?? long.MaxValue), ("@limit", query.Limit) };
        void Add(string condition, string name, object? value)
        {
            if (value is null)
                return;
            conditions.Add(condition);
            parameters.Add((name, value));
        }

        Add("at >= @from", "@from", query.From);
        Add("at < @until", "@until", query.Until);
        Add("kind = @kind", "@kind", query.Kind);
        Add("outcome = @outcome", "@outcome", query.Outcome);
        Add("correlation = @correlation", "@correlation", query.Correlation);
        Add("resource = @resource", "@resource", query.Resource);
        Add("workload = @workload", "@workload", query.Workload);
        Add("tee = @tee", "@tee", query.Tee);
        var sql = $"SELECT sequence, at, body FROM audit_entry WHERE {string.Join(" AND ", conditions)} ORDER BY sequence DESC LIMIT @limit";
        return database.Read(connection => connection.Query(sql, ReadEntry, parameters.ToArray()));
    }

    /// <summary>A document that an entry names, or null.</summary>
    public byte[]? Attachment(string digest) => database.Read(connection => connection.Scalar<byte[]>(
        "SELECT content FROM audit_attachment WHERE digest = @digest", ("@digest", digest))) is { } content ? Decompress(content) : null;

    private static long Size(DbConnection connection) => connection.Scalar<long>("SELECT size FROM audit_size WHERE id = 1");

    private static MerkleProver Prover(DbConnection connection) => new((level, position) => Node(connection, level, position));

    private static byte[] Node(DbConnection connection, int level, long position) => connection.Scalar<byte[]>(
        "SELECT hash FROM audit_node WHERE level = @level AND position = @position", ("@level", level), ("@position", position))
        ?? throw new InvalidDataException($"the audit log lacks the hash of subtree {level}/{position}");

    // A new leaf completes one subtree for each trailing 1 of its position.
    private static void AddLeaf(DbConnection connection, long sequence, byte[] hash)
    {
        var (level, position) = (0, sequence);
        while (true)
        {
            connection.Execute(
                "INSERT INTO audit_node (level, position, hash) VALUES (@level, @position, @hash)",
                ("@level", level), ("@position", position), ("@hash", hash));
            if ((position & 1) == 0)
                return;
            hash = MerkleTree.NodeHash(Node(connection, level, position - 1), hash);
            (level, position) = (level + 1, position >> 1);
        }
    }

    private static AuditEntry ReadEntry(DbDataReader r) => new(r.GetInt64(0), r.Time(1), r.Bytes(2));

    private static byte[] Compress(byte[] content)
    {
        using var output = new MemoryStream();
        using (var deflate = new DeflateStream(output, CompressionLevel.Fastest))
            deflate.Write(content);
        return output.ToArray();
    }

    private static byte[] Decompress(byte[] content)
    {
        using var deflate = new DeflateStream(new MemoryStream(content), CompressionMode.Decompress);
        using var output = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = deflate.Read(chunk)) > 0)
        {
            if (output.Length + read > MaxAttachmentBytes)
                throw new InvalidDataException("an attachment of the audit log is larger than it can be");
            output.Write(chunk, 0, read);
        }

        return output.ToArray();
    }
}
