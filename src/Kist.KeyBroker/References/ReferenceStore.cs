using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tenants;

namespace Kist.KeyBroker.References;

/// <summary>One reference value as stored.</summary>
sealed record StoredReferenceValue(
    string Name, long Version, JsonElement Value, DateTimeOffset NotBefore, DateTimeOffset Expires, string Source, DateTimeOffset At, string By, bool Deleted);

/// <summary>One reference set as stored.</summary>
sealed record StoredReferenceSet(ReferenceSet Set, long Version, DateTimeOffset At, string By, bool Deleted);

/// <summary>
/// Reference values with their history. Single values answer policies written for Trustee; sets are measurements that
/// must be met together. Neither matches outside its validity.
/// </summary>
sealed class ReferenceStore(Database database, TenantScope tenant)
{
    /// <summary>Longest name in characters.</summary>
    public const int MaxNameLength = 512;

    /// <summary>Most claims in a set.</summary>
    public const int MaxClaims = 128;

    /// <summary>Most acceptable values of one claim.</summary>
    public const int MaxValues = 256;

    /// <summary>Longest value in characters.</summary>
    public const int MaxValueLength = 4096;

    // A set is found by one of its claims; the one that varies most between builds comes first.
    private static readonly string[] Distinctive =
    [
        "quote.body.mr_config_id", "quote.body.rtmr_1", "quote.body.mr_td", "measurement", "body.mr_enclave", "mr_enclave", "launch_digest",
    ];

    /// <summary>Checks a set before it is stored.</summary>
    /// <exception cref="MalformedDataException">It has no claims, too many, or values that no claim can have.</exception>
    public static void Check(ReferenceSet set)
    {
        static MalformedDataException Malformed(string reason) => new("reference set", -1, reason);
        if (!IsName(set.Name) || !IsName(set.Tee))
            throw Malformed("\"name\" and \"tee\" must be 1 to 512 printable characters without white space");
        if (set.Claims.Count is 0 or > MaxClaims)
            throw Malformed($"it must have 1 to {MaxClaims} claims");
        if (string.IsNullOrWhiteSpace(set.Source) || set.Source.Length > 4096)
            throw Malformed("\"source\" must say where the values come from");
        if (set.Expires <= (set.NotBefore ?? DateTimeOffset.MinValue))
            throw Malformed("it expires before it begins");
        foreach (var (claim, values) in set.Claims)
        {
            if (!IsName(claim))
                throw Malformed("a claim's path must be 1 to 512 printable characters without white space");
            if (values is null || values.Count is 0 or > MaxValues || values.Any(v => v is not { Length: > 0 and <= MaxValueLength }))
                throw Malformed($"the claim \"{claim}\" must have 1 to {MaxValues} values of 1 to {MaxValueLength} characters");
        }
    }

    /// <summary>True for 1 to 512 printable ASCII characters without white space.</summary>
    public static bool IsName(string? text) => text is { Length: > 0 and <= MaxNameLength } && text.All(c => c is > ' ' and <= '~');

    /// <summary>Stores a new version of a set, and makes it the one in force.</summary>
    public long Put(ReferenceSet set, DateTimeOffset now, string by)
    {
        Check(set);
        return database.Write(connection =>
        {
            var version = 1 + connection.Scalar<long>("SELECT MAX(version) FROM reference_set WHERE name = @name", ("@name", tenant.Qualify(set.Name)));
            connection.Execute(
                """
                INSERT INTO reference_set (name, version, tee, claims, not_before, expires, source, created_at, created_by)
                VALUES (@name, @version, @tee, @claims, @from, @until, @source, @at, @by)
                """,
                ("@name", tenant.Qualify(set.Name)), ("@version", version), ("@tee", set.Tee), ("@claims", WriteClaims(set)),
                ("@from", set.NotBefore ?? now), ("@until", set.Expires), ("@source", set.Source), ("@at", now), ("@by", by));
            connection.Execute("DELETE FROM reference_index WHERE name = @name", ("@name", tenant.Qualify(set.Name)));
            var claim = Array.Find(Distinctive, set.Claims.ContainsKey) ?? set.Claims.Keys.Order(StringComparer.Ordinal).First();
            foreach (var value in set.Claims[claim].Select(v => v.ToLowerInvariant()).Distinct())
            {
                connection.Execute(
                    "INSERT INTO reference_index (tee, claim, value, name) VALUES (@tee, @claim, @value, @name)",
                    ("@tee", tenant.Qualify(set.Tee)), ("@claim", claim), ("@value", value), ("@name", tenant.Qualify(set.Name)));
            }

            return version;
        });
    }

    /// <summary>Takes a set out of force. False if there is none.</summary>
    public bool DeleteSet(string name) => database.Write(connection =>
    {
        connection.Execute("DELETE FROM reference_index WHERE name = @name", ("@name", tenant.Qualify(name)));
        return connection.Execute("UPDATE reference_set SET deleted = 1 WHERE name = @name AND deleted = 0", ("@name", tenant.Qualify(name))) > 0;
    });

    /// <summary>The set in force under this name whatever its validity, or null.</summary>
    public StoredReferenceSet? FindSet(string name) => database.Read(connection => connection.Single(
        SelectSet + " WHERE name = @name ORDER BY version DESC LIMIT 1", ReadSet, ("@name", tenant.Qualify(name)))) is { Deleted: false } found ? found : null;

    /// <summary>Sets by name after <paramref name="after"/>.</summary>
    public IReadOnlyList<StoredReferenceSet> ListSets(string after, int limit) => database.Read(connection => connection.Query(
        SelectSet + $" s WHERE name > @after AND {tenant.Condition("name")} AND deleted = 0 AND version = (SELECT MAX(version) FROM reference_set t WHERE t.name = s.name) ORDER BY name LIMIT @limit",
        ReadSet, ("@after", tenant.Qualify(after)), ("@limit", limit), tenant.Pattern));

    /// <summary>All versions of a set, oldest first.</summary>
    public IReadOnlyList<StoredReferenceSet> SetHistory(string name) => database.Read(connection => connection.Query(
        SelectSet + " WHERE name = @name ORDER BY version", ReadSet, ("@name", tenant.Qualify(name))));

    /// <summary>The sets in force all of whose claims are met.</summary>
    public ImmutableArray<StoredReferenceSet> Matching(string tee, JsonElement claims, DateTimeOffset now)
    {
        var matching = ImmutableArray.CreateBuilder<StoredReferenceSet>();
        foreach (var set in database.Read(connection => Candidates(connection, tee, claims)))
        {
            if (IsInForce(set, now) && ClaimPath.Compare(set.Set, claims).All(c => c.Holds))
                matching.Add(set);
        }

        return matching.ToImmutable();
    }

    /// <summary>
    /// For the operator's eyes: of the latest sets for this TEE the one that misses the fewest claims, whether in force or
    /// not; null if there is none.
    /// </summary>
    public StoredReferenceSet? Closest(string tee, JsonElement claims)
    {
        const int looked = 64;
        var sets = database.Read(connection => connection.Query(
            SelectSet + $" s WHERE tee = @tee AND {tenant.Condition("name")} AND deleted = 0 AND version = (SELECT MAX(version) FROM reference_set t WHERE t.name = s.name) ORDER BY created_at DESC LIMIT @limit",
            ReadSet, ("@tee", tee), ("@limit", looked), tenant.Pattern));
        return sets.MinBy(s => ClaimPath.Compare(s.Set, claims).Count(c => !c.Holds));
    }

    /// <summary>True if the set is valid at this time.</summary>
    public static bool IsInForce(StoredReferenceSet set, DateTimeOffset now) => (set.Set.NotBefore ?? set.At) <= now && now < set.Set.Expires;

    /// <summary>Stores a new version of a single value.</summary>
    public long PutValue(string name, JsonElement value, DateTimeOffset notBefore, DateTimeOffset expires, string source, DateTimeOffset now, string by)
    {
        if (!IsName(name))
            throw new MalformedDataException("reference value", -1, "its name must be 1 to 512 printable characters without white space");
        if (expires <= notBefore)
            throw new MalformedDataException("reference value", -1, "it expires before it begins");
        return database.Write(connection =>
        {
            var version = 1 + connection.Scalar<long>("SELECT MAX(version) FROM reference_value WHERE name = @name", ("@name", tenant.Qualify(name)));
            connection.Execute(
                """
                INSERT INTO reference_value (name, version, value, not_before, expires, source, created_at, created_by)
                VALUES (@name, @version, @value, @from, @until, @source, @at, @by)
                """,
                ("@name", tenant.Qualify(name)), ("@version", version), ("@value", value.GetRawText()), ("@from", notBefore), ("@until", expires),
                ("@source", source), ("@at", now), ("@by", by));
            return version;
        });
    }

    /// <summary>Takes a value out of force. False if there is none.</summary>
    public bool DeleteValue(string name) => database.Write(connection => connection.Execute(
        "UPDATE reference_value SET deleted = 1 WHERE name = @name AND deleted = 0", ("@name", tenant.Qualify(name))) > 0);

    /// <summary>The value in force at this time, or null.</summary>
    public StoredReferenceValue? FindValue(string name, DateTimeOffset now) => database.Read(connection => connection.Single(
        SelectValue + " WHERE name = @name ORDER BY version DESC LIMIT 1", ReadValue, ("@name", tenant.Qualify(name)))) is { Deleted: false } found
            && found.NotBefore <= now && now < found.Expires ? found : null;

    /// <summary>Values by name after <paramref name="after"/>, whatever their validity.</summary>
    public IReadOnlyList<StoredReferenceValue> ListValues(string after, int limit) => database.Read(connection => connection.Query(
        SelectValue + $" v WHERE name > @after AND {tenant.Condition("name")} AND deleted = 0 AND version = (SELECT MAX(version) FROM reference_value w WHERE w.name = v.name) ORDER BY name LIMIT @limit",
        ReadValue, ("@after", tenant.Qualify(after)), ("@limit", limit), tenant.Pattern));

    /// <summary>All versions of a value, oldest first.</summary>
    public IReadOnlyList<StoredReferenceValue> ValueHistory(string name) => database.Read(connection => connection.Query(
        SelectValue + " WHERE name = @name ORDER BY version", ReadValue, ("@name", tenant.Qualify(name))));

    private const string SelectSet = "SELECT name, version, tee, claims, not_before, expires, source, created_at, created_by, deleted FROM reference_set";

    private const string SelectValue = "SELECT name, version, value, not_before, expires, source, created_at, created_by, deleted FROM reference_value";

    // The set's TEE is compared by the caller: named here, it would make the database begin with all sets of that TEE.
    internal const string SelectCandidates =
        """
        SELECT s.name, s.version, s.tee, s.claims, s.not_before, s.expires, s.source, s.created_at, s.created_by, s.deleted
        FROM reference_index i JOIN reference_set s ON s.name = i.name
        WHERE i.tee = @indexed AND i.claim = @claim AND i.value = @value AND s.deleted = 0
        AND s.version = (SELECT MAX(version) FROM reference_set t WHERE t.name = s.name)
        """;

    // The number of distinct index claims is small whatever the number of sets, so that the cost does not grow with it.
    private List<StoredReferenceSet> Candidates(DbConnection connection, string tee, JsonElement claims)
    {
        var candidates = new List<StoredReferenceSet>();
        foreach (var claim in IndexedClaims(connection, tenant.Qualify(tee)))
        {
            if (ClaimPath.Find(claims, claim) is not { } value)
                continue;
            candidates.AddRange(connection.Query(
                SelectCandidates, ReadSet, ("@indexed", tenant.Qualify(tee)), ("@claim", claim), ("@value", value.ToLowerInvariant())).Where(c => c.Set.Tee == tee));
        }

        return candidates;
    }

    // From each to the next by a look at the index: SELECT DISTINCT would read every entry of it.
    private static IEnumerable<string> IndexedClaims(DbConnection connection, string indexedTee)
    {
        var claim = "";
        while (connection.Scalar<string>("SELECT MIN(claim) FROM reference_index WHERE tee = @tee AND claim > @claim", ("@tee", indexedTee), ("@claim", claim)) is { } next)
        {
            claim = next;
            yield return claim;
        }
    }

    private static string WriteClaims(ReferenceSet set)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (claim, values) in set.Claims.OrderBy(c => c.Key, StringComparer.Ordinal))
            {
                writer.WriteStartArray(claim);
                foreach (var value in values)
                    writer.WriteStringValue(value);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private StoredReferenceSet ReadSet(DbDataReader r)
    {
        using var claims = JsonDocument.Parse(r.GetString(3));
        var set = new ReferenceSet
        {
            Name = tenant.Strip(r.GetString(0)),
            Tee = r.GetString(2),
            Claims = claims.RootElement.EnumerateObject().ToDictionary(
                c => c.Name, c => (IReadOnlyList<string>)[.. c.Value.EnumerateArray().Select(v => v.GetString()!)], StringComparer.Ordinal),
            NotBefore = r.Time(4),
            Expires = r.Time(5),
            Source = r.GetString(6),
        };
        return new StoredReferenceSet(set, r.GetInt64(1), r.Time(7), r.GetString(8), r.GetInt64(9) != 0);
    }

    private StoredReferenceValue ReadValue(DbDataReader r)
    {
        using var value = JsonDocument.Parse(r.GetString(2));
        return new StoredReferenceValue(
            tenant.Strip(r.GetString(0)), r.GetInt64(1), value.RootElement.Clone(), r.Time(3), r.Time(4), r.GetString(5), r.Time(6), r.GetString(7), r.GetInt64(8) != 0);
    }
}
