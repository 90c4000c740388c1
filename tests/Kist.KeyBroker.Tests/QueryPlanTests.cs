using Kist.KeyBroker.References;
using Kist.KeyBroker.Storage;
using Kist.Testing;

namespace Kist.KeyBroker.Tests;

/// <summary>What a handshake asks the database must not read more where more is stored: SQLite's own plan says how it looks.</summary>
public sealed class QueryPlanTests
{
    [Fact]
    public void ReferenceSets_OfOneClaim_AreFoundByTheIndexOfClaims()
    {
        using var folder = new TemporaryDirectory();
        using var database = new SqliteDatabase(folder["x.db"], false);
        Schema.Migrate(database, TestBroker.Start);
        var plan = database.Read(c => c.Query(
            $"EXPLAIN QUERY PLAN {ReferenceStore.SelectCandidates}", r => r.GetString(3), ("@indexed", "tdx"), ("@claim", "quote.body.mr_td"), ("@value", "00")));
        Assert.StartsWith("SEARCH i USING COVERING INDEX", plan[0], StringComparison.Ordinal);
        Assert.DoesNotContain(plan, step => step.StartsWith("SCAN", StringComparison.Ordinal) || step.Contains("reference_set_latest", StringComparison.Ordinal));
    }
}
