using System.Data.Common;
using Kist.Formats;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// The tables, as numbered steps. A step that was released is never changed; times are milliseconds since 1970.
/// </summary>
static class Schema
{
    /// <summary>All tables that a copy holds. Open handshakes are not copied: their guests begin anew.</summary>
    public static readonly string[] CopiedTables =
    [
        "meta", "resource", "resource_version", "resource_terms", "revocation", "policy", "reference_value", "reference_set", "reference_index",
        "proposal", "admin_token", "master_key", "tenant", "audit_size", "audit_entry", "audit_node", "audit_checkpoint", "audit_attachment",
    ];

    /// <summary>Brings a database to the present version.</summary>
    /// <exception cref="OperationFailedException">It was written by a later version.</exception>
    public static void Migrate(Database database, DateTimeOffset now) => database.Write(connection =>
    {
        connection.Execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
        var version = connection.Scalar<long>("SELECT MAX(version) FROM schema_version");
        string[][] steps = [Version1(database.BytesType), Version2, Version3, Version4(database.BytesType), Version5(database.BytesType, now), Version6(database.BytesType), Version7, Version8];
        if (version > steps.Length)
            throw new OperationFailedException(
                "open the broker's database", $"schema version {version}", "it was written by a later version of kist", "use that version");
        for (; version < steps.Length; version++)
            Run(connection, steps[version], version + 1);
    });

    private static void Run(DbConnection connection, string[] statements, long version)
    {
        foreach (var statement in statements)
            connection.Execute(statement);
        connection.Execute("INSERT INTO schema_version (version) VALUES (@version)", ("@version", version));
    }

    // The latest sets of a TEE, among which the closest one is looked for when none is met.
    private static readonly string[] Version8 = ["CREATE INDEX reference_set_latest ON reference_set (tee, created_at)"];

    // Tenants; whose an administrator's token is.
    private static readonly string[] Version7 =
    [
        "CREATE TABLE tenant (name TEXT PRIMARY KEY, created_at BIGINT NOT NULL, created_by TEXT NOT NULL, closed_at BIGINT)",
        "ALTER TABLE admin_token ADD COLUMN tenant TEXT",
    ];

    // Changes of master key, each proved by the key before it.
    private static string[] Version6(string bytes) =>
    [
        $"""
        CREATE TABLE master_key (
            sequence BIGINT PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            location TEXT NOT NULL,
            predecessor TEXT NOT NULL,
            proof {bytes} NOT NULL,
            created_at BIGINT NOT NULL,
            created_by TEXT NOT NULL)
        """,
    ];

    // The audit log at size: an index for each question, times by halving, a beginning that moves, and attachments that end.
    private static string[] Version5(string bytes, DateTimeOffset now) =>
    [
        "ALTER TABLE audit_entry ADD COLUMN tenant TEXT",
        "DROP INDEX audit_entry_at",
        "DROP INDEX audit_entry_resource",
        "DROP INDEX audit_entry_workload",
        "CREATE INDEX audit_entry_kind ON audit_entry (kind, sequence)",
        "CREATE INDEX audit_entry_outcome ON audit_entry (outcome, sequence)",
        "CREATE INDEX audit_entry_kind_outcome ON audit_entry (kind, outcome, sequence)",
        "CREATE INDEX audit_entry_tenant ON audit_entry (tenant, sequence) WHERE tenant IS NOT NULL",
        "CREATE INDEX audit_entry_tee ON audit_entry (tee, sequence) WHERE tee IS NOT NULL",
        "CREATE INDEX audit_entry_resource ON audit_entry (resource, sequence) WHERE resource IS NOT NULL",
        "CREATE INDEX audit_entry_workload ON audit_entry (workload, sequence) WHERE workload IS NOT NULL",
        "CREATE INDEX audit_entry_actor ON audit_entry (actor, sequence) WHERE actor IS NOT NULL",
        $"CREATE TABLE audit_checkpoint (size BIGINT PRIMARY KEY, head {bytes} NOT NULL)",
        "ALTER TABLE audit_attachment ADD COLUMN size BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE audit_attachment ADD COLUMN last_used BIGINT NOT NULL DEFAULT 0",
        $"UPDATE audit_attachment SET size = LENGTH(content), last_used = {now.ToUnixTimeMilliseconds()}",
        "CREATE INDEX audit_attachment_use ON audit_attachment (kind, last_used, size)",
    ];

    // Changes that wait for a second person.
    private static string[] Version4(string bytes) =>
    [
        $"""
        CREATE TABLE proposal (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            body {bytes} NOT NULL,
            proposed_at BIGINT NOT NULL,
            proposed_by TEXT NOT NULL,
            decision TEXT,
            decided_at BIGINT,
            decided_by TEXT)
        """,
    ];

    // Open handshakes, where several replicas share them.
    private static readonly string[] Version3 =
    [
        """
        CREATE TABLE session (
            id TEXT PRIMARY KEY,
            tee TEXT NOT NULL,
            nonce TEXT NOT NULL,
            expires BIGINT NOT NULL,
            used BIGINT NOT NULL,
            token TEXT)
        """,
        "CREATE INDEX session_expires ON session (expires)",
    ];

    private static readonly string[] Version2 =
    [
        // On what terms a secret is given out: at most so often, until then, or derived for each workload.
        "CREATE TABLE resource_terms (path TEXT PRIMARY KEY, max_reads BIGINT, reads BIGINT NOT NULL, until BIGINT, derived_by TEXT)",

        // Workloads that get nothing more.
        """
        CREATE TABLE revocation (
            kind TEXT NOT NULL,
            value TEXT NOT NULL,
            reason TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            created_by TEXT NOT NULL,
            PRIMARY KEY (kind, value))
        """,
    ];

    private static string[] Version1(string bytes) =>
    [
        // Small facts of the installation: wrapped signing keys and the like.
        $"CREATE TABLE meta (key TEXT PRIMARY KEY, value {bytes} NOT NULL)",

        // Secrets. Each version is encrypted under its own key, which is wrapped by the master key.
        """
        CREATE TABLE resource (
            path TEXT PRIMARY KEY,
            current_version BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            deleted_at BIGINT)
        """,
        $"""
        CREATE TABLE resource_version (
            path TEXT NOT NULL,
            version BIGINT NOT NULL,
            master_key TEXT NOT NULL,
            wrapped_key {bytes} NOT NULL,
            sealed {bytes} NOT NULL,
            size BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            created_by TEXT NOT NULL,
            PRIMARY KEY (path, version))
        """,
        "CREATE INDEX resource_version_master_key ON resource_version (master_key)",

        // Policies: kind is "attestation" or "resource". The highest version of a scope is in force.
        """
        CREATE TABLE policy (
            kind TEXT NOT NULL,
            scope TEXT NOT NULL,
            version BIGINT NOT NULL,
            text TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            created_by TEXT NOT NULL,
            deleted BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (kind, scope, version))
        """,

        // Single reference values by name, and sets that must match together. The highest version is in force.
        """
        CREATE TABLE reference_value (
            name TEXT NOT NULL,
            version BIGINT NOT NULL,
            value TEXT NOT NULL,
            not_before BIGINT NOT NULL,
            expires BIGINT NOT NULL,
            source TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            created_by TEXT NOT NULL,
            deleted BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (name, version))
        """,
        """
        CREATE TABLE reference_set (
            name TEXT NOT NULL,
            version BIGINT NOT NULL,
            tee TEXT NOT NULL,
            claims TEXT NOT NULL,
            not_before BIGINT NOT NULL,
            expires BIGINT NOT NULL,
            source TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            created_by TEXT NOT NULL,
            deleted BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (name, version))
        """,

        // One claim of each set in force, by which candidates are found without reading all sets.
        """
        CREATE TABLE reference_index (
            tee TEXT NOT NULL,
            claim TEXT NOT NULL,
            value TEXT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (tee, claim, value, name))
        """,
        "CREATE INDEX reference_index_name ON reference_index (name)",

        // The audit log: entries, the hashes of its Merkle tree's complete subtrees, and what entries point to.
        $"""
        CREATE TABLE audit_entry (
            sequence BIGINT PRIMARY KEY,
            at BIGINT NOT NULL,
            kind TEXT NOT NULL,
            outcome TEXT NOT NULL,
            correlation TEXT NOT NULL,
            tee TEXT,
            resource TEXT,
            workload TEXT,
            actor TEXT,
            body {bytes} NOT NULL)
        """,
        "CREATE INDEX audit_entry_at ON audit_entry (at)",
        "CREATE INDEX audit_entry_correlation ON audit_entry (correlation)",
        "CREATE INDEX audit_entry_resource ON audit_entry (resource, sequence)",
        "CREATE INDEX audit_entry_workload ON audit_entry (workload, sequence)",
        $"CREATE TABLE audit_node (level BIGINT NOT NULL, position BIGINT NOT NULL, hash {bytes} NOT NULL, PRIMARY KEY (level, position))",
        "CREATE TABLE audit_size (id BIGINT PRIMARY KEY, size BIGINT NOT NULL)",
        "INSERT INTO audit_size (id, size) VALUES (1, 0)",
        $"CREATE TABLE audit_attachment (digest TEXT PRIMARY KEY, kind TEXT NOT NULL, content {bytes} NOT NULL)",

        // Administrators' tokens, by the digest of the token.
        $"""
        CREATE TABLE admin_token (
            digest {bytes} PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            roles TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            created_by TEXT NOT NULL,
            expires BIGINT,
            revoked_at BIGINT)
        """,
    ];
}
