using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tenants;

namespace Kist.KeyBroker.Resources;

/// <summary>On what terms a secret is given out, beyond what policies say.</summary>
/// <param name="MaxReads">How often it is given out in all; null for no limit.</param>
/// <param name="Reads">How often it was given out since the terms were set.</param>
/// <param name="Until">From this time on it is not given out; null for no end.</param>
/// <param name="DerivedBy">
/// Path of the claim in the evidence's annotation ("init_data", "tdx.quote.body.mr_td") by whose value each workload gets
/// a secret of its own, derived from the stored one; null to give out the stored one.
/// </param>
sealed record ResourceTerms(long? MaxReads, long Reads, DateTimeOffset? Until, string? DerivedBy);

/// <summary>Leases and derivations of secrets.</summary>
sealed class ResourceTermsStore(Database database, TenantScope tenant)
{
    private const int DerivedBytes = 32;

    public ResourceTerms? Find(string path) => database.Read(connection => Find(connection, path));

    /// <summary>Sets the terms; the count of reads begins anew.</summary>
    public void Set(string path, ResourceTerms terms) => database.Write(connection => connection.Execute(
        """
        INSERT INTO resource_terms (path, max_reads, reads, until, derived_by) VALUES (@path, @max, 0, @until, @derived)
        ON CONFLICT (path) DO UPDATE SET max_reads = @max, reads = 0, until = @until, derived_by = @derived
        """,
        ("@path", tenant.Qualify(path)), ("@max", terms.MaxReads), ("@until", terms.Until), ("@derived", terms.DerivedBy)));

    /// <summary>Lifts the terms. False if there were none.</summary>
    public bool Remove(string path) =>
        database.Write(connection => connection.Execute("DELETE FROM resource_terms WHERE path = @path", ("@path", tenant.Qualify(path))) > 0);

    /// <summary>
    /// Counts a read, in the transaction that records it. False if the lease has ended; of any number of replicas and
    /// callers no more are told true than there are reads.
    /// </summary>
    public bool TryCount(DbConnection connection, string path, DateTimeOffset now) =>
        Find(connection, path) is null
        || connection.Execute(
            """
            UPDATE resource_terms SET reads = reads + 1
            WHERE path = @path AND (max_reads IS NULL OR reads < max_reads) AND (until IS NULL OR until > @now)
            """,
            ("@path", tenant.Qualify(path)), ("@now", now)) > 0;

    /// <summary>
    /// The workload's own secret: HKDF-SHA-256 (RFC 5869) over the stored one, with the secret's name, the claim's path and
    /// its value as info. Null if the evidence makes no such claim. The caller disposes it.
    /// </summary>
    public SecretBytes? Derive(ReadOnlySpan<byte> root, string path, string claim, JsonElement annotatedEvidence)
    {
        if (ClaimPath.Find(annotatedEvidence, claim) is not { Length: > 0 } value)
            return null;
        var derived = new SecretBytes(DerivedBytes);
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256, root, derived.Span, default, Encoding.UTF8.GetBytes($"kist derived secret 1\n{tenant.Qualify(path)}\n{claim}\n{value}"));
        return derived;
    }

    private ResourceTerms? Find(DbConnection connection, string path) => connection.Single(
        "SELECT max_reads, reads, until, derived_by FROM resource_terms WHERE path = @path",
        r => new ResourceTerms(r.IsDBNull(0) ? null : r.GetInt64(0), r.GetInt64(1), r.OptionalTime(2), r.Text(3)), ("@path", tenant.Qualify(path)));
}
