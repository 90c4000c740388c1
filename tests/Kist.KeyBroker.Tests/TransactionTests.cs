using System.Text;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Storage;
using Kist.Testing;

namespace Kist.KeyBroker.Tests;

/// <summary>Changes are whole or not there, and a change is never without its audit entry.</summary>
public sealed class TransactionTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly SqliteDatabase _database;

    public TransactionTests()
    {
        _database = new SqliteDatabase(_folder["x.db"], false);
        _database.Write(c => c.Execute("CREATE TABLE t (x BIGINT)"));
    }

    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
    }

    private long Count() => _database.Read(c => c.Scalar<long>("SELECT COUNT(*) FROM t"));

    private void Insert() => _database.Write(c => c.Execute("INSERT INTO t (x) VALUES (@x)", ("@x", 1L)));

    [Fact]
    public void Write_WithinAWrite_IsOneTransaction()
    {
        Assert.Throws<FormatException>(() => _database.Write(() =>
        {
            Insert();
            Assert.Equal(1, Count());
            Insert();
            throw new FormatException();
        }));
        Assert.Equal(0, Count());
        _database.Write(() =>
        {
            Insert();
            Insert();
        });
        Assert.Equal(2, Count());
    }

    [Fact]
    public async Task Write_OnAnotherThread_IsItsOwn()
    {
        using var inside = new ManualResetEventSlim();
        var other = Task.Run(() =>
        {
            inside.Wait(TestContext.Current.CancellationToken);
            Insert();
        }, TestContext.Current.CancellationToken);
        Assert.Throws<FormatException>(() => _database.Write(() =>
        {
            inside.Set();
            Insert();
            throw new FormatException();
        }));
        await other;
        Assert.Equal(1, Count());
    }

    [Fact]
    public void Statement_ThatFailed_CanBeRunAgain()
    {
        _database.Write(c => c.Execute("CREATE UNIQUE INDEX i ON t (x)"));
        Insert();
        Assert.Throws<OperationFailedException>(Insert);
        Assert.Throws<OperationFailedException>(Insert);
        Assert.Equal(1, Count());
        Assert.Throws<OperationFailedException>(() => _database.Read(c => c.Scalar<long>("SELECT nonsense FROM t")));
        Assert.Equal(1, Count());
    }

    [Fact]
    public async Task Change_WhoseAuditEntryCannotBeWritten_IsNotMade()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        using (var other = new SqliteDatabase(Path.Combine(broker.Folder, "broker.db"), false))
            other.Write(c => c.Execute("CREATE TRIGGER refuse BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no'); END"));
        var before = (await admin.ListReferenceSetsAsync("", 10, TestContext.Current.CancellationToken)).Count;
        foreach (var change in new Func<Task>[]
        {
            () => admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "x"u8.ToArray(), TestContext.Current.CancellationToken),
            () => admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), TestContext.Current.CancellationToken),
            () => admin.RevokeAsync(new RevocationDocument { Kind = "token", Value = "x", Reason = "y" }, TestContext.Current.CancellationToken),
            () => admin.SetResourceTermsAsync(ResourceUri.Parse("a/b/c"), new ResourceTermsDocument { MaxReads = 1 }, TestContext.Current.CancellationToken),
            () => admin.SetResourcePolicyAsync("a", "package policy\ndefault allow = false\n", TestContext.Current.CancellationToken),
            () => admin.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "n", Roles = "auditor" }, TestContext.Current.CancellationToken),
        })
        {
            Assert.Equal(503, (await Assert.ThrowsAsync<KeyBrokerException>(change)).Status);
        }

        Assert.Empty(await admin.ListResourcesAsync("", 10, true, TestContext.Current.CancellationToken));
        Assert.Equal(before, (await admin.ListReferenceSetsAsync("", 10, TestContext.Current.CancellationToken)).Count);
        Assert.Empty(await admin.ListRevocationsAsync(TestContext.Current.CancellationToken));
        Assert.Single(await admin.ListAdminTokensAsync(TestContext.Current.CancellationToken));
        Assert.DoesNotContain(await admin.ListPoliciesAsync("resource", null, false, TestContext.Current.CancellationToken), p => p.Scope == "a");
        Assert.Equal(0, (await admin.GetAuditHeadAsync(TestContext.Current.CancellationToken)).Size);
    }

    [Fact]
    public void CopiedTables_AreAllButOpenHandshakes()
    {
        using var database = new SqliteDatabase(_folder["schema.db"], false);
        Schema.Migrate(database, TestBroker.Start);
        var tables = database.Read(c => c.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", r => r.GetString(0)));
        Assert.Equal(tables.Except(["schema_version", "session"]).Order(), Schema.CopiedTables.Order());
    }
}
