using Kist.Formats;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Resources;

/// <summary>What is known of a secret besides its value.</summary>
sealed record ResourceInfo(string Path, long CurrentVersion, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? DeletedAt, long SizeBytes);

/// <summary>One version of a secret, besides its value.</summary>
sealed record ResourceVersionInfo(long Version, DateTimeOffset CreatedAt, string CreatedBy, long SizeBytes, string MasterKey);

/// <summary>Secrets: encrypted at rest, in versions, deleted softly first.</summary>
sealed class ResourceStore(Database database, MasterKeyRing keys)
{
    /// <summary>Stores a new version; a deleted secret comes back with it.</summary>
    public long Put(string path, ReadOnlySpan<byte> secret, DateTimeOffset now, string by)
    {
        // Spans do not go into lambdas; a copy of the secret lives until the transaction ends.
        using var copy = SecretBytes.CopyOf(secret);
        return database.Write(connection =>
        {
            var version = 1 + connection.Scalar<long>("SELECT MAX(version) FROM resource_version WHERE path = @path", ("@path", path));
            var envelope = Envelope.Seal(keys, copy.Span, path, version);
            connection.Execute(
                """
                INSERT INTO resource_version (path, version, master_key, wrapped_key, sealed, size, created_at, created_by)
                VALUES (@path, @version, @master, @wrapped, @sealed, @size, @at, @by)
                """,
                ("@path", path), ("@version", version), ("@master", envelope.MasterKey), ("@wrapped", envelope.WrappedKey),
                ("@sealed", envelope.Sealed), ("@size", copy.Length), ("@at", now), ("@by", by));
            connection.Execute(
                """
                INSERT INTO resource (path, current_version, created_at, updated_at) VALUES (@path, @version, @at, @at)
                ON CONFLICT (path) DO UPDATE SET current_version = @version, updated_at = @at, deleted_at = NULL
                """,
                ("@path", path), ("@version", version), ("@at", now));
            return version;
        });
    }

    /// <summary>The present version's value, or null if there is none or it is deleted. The caller disposes it.</summary>
    /// <exception cref="OperationFailedException">What is stored was changed, or its master key is not at hand.</exception>
    public (SecretBytes Secret, long Version)? Get(string path)
    {
        var stored = database.Read(connection => connection.Single(
            """
            SELECT v.version, v.master_key, v.wrapped_key, v.sealed
            FROM resource r JOIN resource_version v ON v.path = r.path AND v.version = r.current_version
            WHERE r.path = @path AND r.deleted_at IS NULL
            """,
            r => ((long Version, Envelope Envelope)?)(r.GetInt64(0), new Envelope(r.GetString(1), r.Bytes(2), r.Bytes(3))),
            ("@path", path)));
        return stored is { } found ? (found.Envelope.Open(keys, path, found.Version), found.Version) : null;
    }

    /// <summary>What is known of a secret, deleted or not; null if it never was, or was purged.</summary>
    public ResourceInfo? Find(string path) => database.Read(connection => connection.Single(
        SelectInfo + " WHERE r.path = @path", ReadInfo, ("@path", path)));

    /// <summary>Secrets by name after <paramref name="after"/>, deleted ones only if asked for.</summary>
    public IReadOnlyList<ResourceInfo> List(string after, int limit, bool deleted) => database.Read(connection => connection.Query(
        SelectInfo + (deleted ? " WHERE r.path > @after" : " WHERE r.path > @after AND r.deleted_at IS NULL") + " ORDER BY r.path LIMIT @limit",
        ReadInfo, ("@after", after), ("@limit", limit)));

    /// <summary>All versions of a secret, oldest first.</summary>
    public IReadOnlyList<ResourceVersionInfo> Versions(string path) => database.Read(connection => connection.Query(
        "SELECT version, created_at, created_by, size, master_key FROM resource_version WHERE path = @path ORDER BY version",
        r => new ResourceVersionInfo(r.GetInt64(0), r.Time(1), r.GetString(2), r.GetInt64(3), r.GetString(4)), ("@path", path)));

    /// <summary>Hides a secret; its versions stay until it is purged. False if there is none.</summary>
    public bool Delete(string path, DateTimeOffset now) => database.Write(connection => connection.Execute(
        "UPDATE resource SET deleted_at = @now, updated_at = @now WHERE path = @path AND deleted_at IS NULL", ("@path", path), ("@now", now)) > 0);

    /// <summary>Brings a deleted secret back. False if there is none that is deleted.</summary>
    public bool Restore(string path, DateTimeOffset now) => database.Write(connection => connection.Execute(
        "UPDATE resource SET deleted_at = NULL, updated_at = @now WHERE path = @path AND deleted_at IS NOT NULL", ("@path", path), ("@now", now)) > 0);

    /// <summary>Makes an earlier version the present one. False if there is no such version.</summary>
    public bool Select(string path, long version, DateTimeOffset now) => database.Write(connection => connection.Execute(
        """
        UPDATE resource SET current_version = @version, updated_at = @now WHERE path = @path AND deleted_at IS NULL
        AND EXISTS (SELECT 1 FROM resource_version WHERE path = @path AND version = @version)
        """,
        ("@path", path), ("@version", version), ("@now", now)) > 0);

    /// <summary>Erases a deleted secret with all versions. False if there is none that is deleted.</summary>
    public bool Purge(string path) => database.Write(connection =>
    {
        if (connection.Execute("DELETE FROM resource WHERE path = @path AND deleted_at IS NOT NULL", ("@path", path)) == 0)
            return false;
        connection.Execute("DELETE FROM resource_version WHERE path = @path", ("@path", path));
        return true;
    });

    /// <summary>Wraps the keys of at most <paramref name="limit"/> versions anew that another master key wrapped.</summary>
    /// <returns>How many were wrapped; 0 when nothing is left to do.</returns>
    public int RewrapSome(int limit) => database.Write(connection =>
    {
        var stored = connection.Query(
            "SELECT path, version, master_key, wrapped_key FROM resource_version WHERE master_key <> @current LIMIT @limit",
            r => (Path: r.GetString(0), Version: r.GetInt64(1), Envelope: new Envelope(r.GetString(2), r.Bytes(3), [])),
            ("@current", keys.Current.Id), ("@limit", limit));
        foreach (var (path, version, envelope) in stored)
        {
            var fresh = envelope.Rewrap(keys, path, version);
            connection.Execute(
                "UPDATE resource_version SET master_key = @master, wrapped_key = @wrapped WHERE path = @path AND version = @version",
                ("@master", fresh.MasterKey), ("@wrapped", fresh.WrappedKey), ("@path", path), ("@version", version));
        }

        return stored.Count;
    });

    private const string SelectInfo =
        """
        SELECT r.path, r.current_version, r.created_at, r.updated_at, r.deleted_at, v.size
        FROM resource r JOIN resource_version v ON v.path = r.path AND v.version = r.current_version
        """;

    private static ResourceInfo ReadInfo(System.Data.Common.DbDataReader r) =>
        new(r.GetString(0), r.GetInt64(1), r.Time(2), r.Time(3), r.OptionalTime(4), r.GetInt64(5));
}
