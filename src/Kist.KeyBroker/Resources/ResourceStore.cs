using System.Data.Common;
using Kist.Formats;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tenants;

namespace Kist.KeyBroker.Resources;

/// <summary>What is known of a secret besides its value.</summary>
sealed record ResourceInfo(string Path, long CurrentVersion, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? DeletedAt, long SizeBytes);

/// <summary>One version of a secret, besides its value.</summary>
sealed record ResourceVersionInfo(long Version, DateTimeOffset CreatedAt, string CreatedBy, long SizeBytes, string MasterKey);

/// <summary>One version of a secret as it is stored.</summary>
sealed record SealedResource(long Version, Envelope Envelope);

/// <summary>Secrets: encrypted at rest, in versions, deleted softly first.</summary>
sealed class ResourceStore(Database database, MasterKeyRing keys, TenantScope tenant)
{
    private const int MaxAttempts = 200;

    /// <summary>Stores a new version; a deleted secret comes back with it.</summary>
    /// <param name="path">The secret's path.</param>
    /// <param name="secret">Its value.</param>
    /// <param name="now">The time.</param>
    /// <param name="by">Who stores it.</param>
    /// <param name="record">Called with the version, in the transaction that stores it.</param>
    /// <exception cref="OperationFailedException">Others write the same secret all the time, or the master key cannot be used.</exception>
    public long Put(string path, ReadOnlySpan<byte> secret, DateTimeOffset now, string by, Action<long> record)
    {
        path = tenant.Qualify(path);
        // The master key may be far away: it is used outside of the transaction, which then finds whether anything changed.
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var version = database.Read(connection => NextVersion(connection, path));
            // Taken before the key is used: a change meanwhile shows in the transaction.
            _ = keys.Current;
            var (stamp, size) = (keys.Stamp, secret.Length);
            var envelope = Envelope.Seal(keys, secret, path, version);
            var stored = database.Write(connection =>
            {
                if (!TryPut(connection, path, version, envelope, stamp, size, now, by))
                    return false;
                record(version);
                return true;
            });
            if (stored)
                return version;
        }

        throw new OperationFailedException("store a secret", path, "others store versions of it all the time", "try again later", isTransient: true);
    }

    private static long NextVersion(DbConnection connection, string path) =>
        1 + connection.Scalar<long>("SELECT MAX(version) FROM resource_version WHERE path = @path", ("@path", path));

    private static bool TryPut(DbConnection connection, string path, long version, Envelope envelope, long stamp, int size, DateTimeOffset now, string by)
    {
        if (MasterKeyStore.Last(connection) != stamp || NextVersion(connection, path) != version)
            return false;
        connection.Execute(
            """
            INSERT INTO resource_version (path, version, master_key, wrapped_key, sealed, size, created_at, created_by)
            VALUES (@path, @version, @master, @wrapped, @sealed, @size, @at, @by)
            """,
            ("@path", path), ("@version", version), ("@master", envelope.MasterKey), ("@wrapped", envelope.WrappedKey),
            ("@sealed", envelope.Sealed), ("@size", size), ("@at", now), ("@by", by));
        connection.Execute(
            """
            INSERT INTO resource (path, current_version, created_at, updated_at) VALUES (@path, @version, @at, @at)
            ON CONFLICT (path) DO UPDATE SET current_version = @version, updated_at = @at, deleted_at = NULL
            """,
            ("@path", path), ("@version", version), ("@at", now));
        return true;
    }

    /// <summary>The present version's value, or null if there is none or it is deleted. The caller disposes it.</summary>
    /// <exception cref="OperationFailedException">What is stored was changed, or its master key is not at hand.</exception>
    public (SecretBytes Secret, long Version)? Get(string path) =>
        FindSealed(path) is { } stored ? (Open(path, stored), stored.Version) : null;

    /// <summary>The present version as it is stored, or null if there is none or it is deleted.</summary>
    public SealedResource? FindSealed(string path) => database.Read(connection => connection.Single(
        """
        SELECT v.version, v.master_key, v.wrapped_key, v.sealed
        FROM resource r JOIN resource_version v ON v.path = r.path AND v.version = r.current_version
        WHERE r.path = @path AND r.deleted_at IS NULL
        """,
        r => new SealedResource(r.GetInt64(0), new Envelope(r.GetString(1), r.Bytes(2), r.Bytes(3))),
        ("@path", tenant.Qualify(path))));

    /// <summary>The value of what was stored. The caller disposes it. Outside of transactions: the master key may be far away.</summary>
    /// <exception cref="OperationFailedException">What is stored was changed, or its master key is not at hand.</exception>
    public SecretBytes Open(string path, SealedResource stored) => stored.Envelope.Open(keys, tenant.Qualify(path), stored.Version);

    /// <summary>What is known of a secret, deleted or not; null if it never was, or was purged.</summary>
    public ResourceInfo? Find(string path) => database.Read(connection => connection.Single(
        SelectInfo + " WHERE r.path = @path", ReadInfo, ("@path", tenant.Qualify(path))));

    /// <summary>Secrets by name after <paramref name="after"/>, deleted ones only if asked for.</summary>
    public IReadOnlyList<ResourceInfo> List(string after, int limit, bool deleted) => database.Read(connection => connection.Query(
        $"{SelectInfo} WHERE r.path > @after AND {tenant.Condition("r.path")}{(deleted ? "" : " AND r.deleted_at IS NULL")} ORDER BY r.path LIMIT @limit",
        ReadInfo, ("@after", tenant.Qualify(after)), ("@limit", limit), tenant.Pattern));

    /// <summary>All versions of a secret, oldest first.</summary>
    public IReadOnlyList<ResourceVersionInfo> Versions(string path) => database.Read(connection => connection.Query(
        "SELECT version, created_at, created_by, size, master_key FROM resource_version WHERE path = @path ORDER BY version",
        r => new ResourceVersionInfo(r.GetInt64(0), r.Time(1), r.GetString(2), r.GetInt64(3), r.GetString(4)), ("@path", tenant.Qualify(path))));

    /// <summary>Hides a secret; its versions stay until it is purged. False if there is none.</summary>
    public bool Delete(string path, DateTimeOffset now) => database.Write(connection => connection.Execute(
        "UPDATE resource SET deleted_at = @now, updated_at = @now WHERE path = @path AND deleted_at IS NULL", ("@path", tenant.Qualify(path)), ("@now", now)) > 0);

    /// <summary>Brings a deleted secret back. False if there is none that is deleted.</summary>
    public bool Restore(string path, DateTimeOffset now) => database.Write(connection => connection.Execute(
        "UPDATE resource SET deleted_at = NULL, updated_at = @now WHERE path = @path AND deleted_at IS NOT NULL", ("@path", tenant.Qualify(path)), ("@now", now)) > 0);

    /// <summary>Makes an earlier version the present one. False if there is no such version.</summary>
    public bool Select(string path, long version, DateTimeOffset now) => database.Write(connection => connection.Execute(
        """
        UPDATE resource SET current_version = @version, updated_at = @now WHERE path = @path AND deleted_at IS NULL
        AND EXISTS (SELECT 1 FROM resource_version WHERE path = @path AND version = @version)
        """,
        ("@path", tenant.Qualify(path)), ("@version", version), ("@now", now)) > 0);

    /// <summary>Erases a deleted secret with all versions. False if there is none that is deleted.</summary>
    public bool Purge(string path) => database.Write(connection =>
    {
        if (connection.Execute("DELETE FROM resource WHERE path = @path AND deleted_at IS NOT NULL", ("@path", tenant.Qualify(path))) == 0)
            return false;
        connection.Execute("DELETE FROM resource_version WHERE path = @path", ("@path", tenant.Qualify(path)));
        return true;
    });

    /// <summary>How many versions, of all tenants, another than the present master key wraps.</summary>
    public long CountToRewrap()
    {
        var current = keys.Current.Id;
        return database.Read(connection => connection.Scalar<long>("SELECT COUNT(*) FROM resource_version WHERE master_key <> @current", ("@current", current)));
    }

    /// <summary>Wraps the keys of at most <paramref name="limit"/> versions, of all tenants, anew that another master key wrapped.</summary>
    /// <returns>How many were wrapped; 0 when nothing is left to do.</returns>
    public int RewrapSome(int limit)
    {
        var current = keys.Current.Id;
        var stored = database.Read(connection => connection.Query(
            "SELECT path, version, master_key, wrapped_key FROM resource_version WHERE master_key <> @current LIMIT @limit",
            r => (Path: r.GetString(0), Version: r.GetInt64(1), Envelope: new Envelope(r.GetString(2), r.Bytes(3), [])),
            ("@current", current), ("@limit", limit)));
        var fresh = stored.ConvertAll(s => s.Envelope.Rewrap(keys, s.Path, s.Version));
        database.Write(connection =>
        {
            for (var i = 0; i < stored.Count; i++)
            {
                connection.Execute(
                    """
                    UPDATE resource_version SET master_key = @master, wrapped_key = @wrapped
                    WHERE path = @path AND version = @version AND master_key = @before
                    """,
                    ("@master", fresh[i].MasterKey), ("@wrapped", fresh[i].WrappedKey), ("@path", stored[i].Path), ("@version", stored[i].Version),
                    ("@before", stored[i].Envelope.MasterKey));
            }
        });
        return stored.Count;
    }

    private const string SelectInfo =
        """
        SELECT r.path, r.current_version, r.created_at, r.updated_at, r.deleted_at, v.size
        FROM resource r JOIN resource_version v ON v.path = r.path AND v.version = r.current_version
        """;

    private ResourceInfo ReadInfo(DbDataReader r) =>
        new(tenant.Strip(r.GetString(0)), r.GetInt64(1), r.Time(2), r.Time(3), r.OptionalTime(4), r.GetInt64(5));
}
