using System.Text;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Storage;
using Kist.Testing;

namespace Kist.KeyBroker.Tests;

/// <summary>What must hold on every database.</summary>
public abstract class SharedStorageTests : IDisposable
{
    private readonly TemporaryDirectory _keys = new();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A new, empty database's connection string; null for SQLite.</summary>
    protected abstract string? NewDatabase();

    public void Dispose()
    {
        _keys.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Everything_WrittenOnce_ReadsBack()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.RegisterReferenceValuesAsync("""{"a":["b"]}"""u8.ToArray(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "one"u8.ToArray(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "two"u8.ToArray(), Token);
        Assert.Equal("two", await ReadAsync(broker));
        await admin.SelectResourceVersionAsync(ResourceUri.Parse("a/b/c"), 1, Token);
        Assert.Equal("one", await ReadAsync(broker));
        await admin.DeleteResourceAsync(ResourceUri.Parse("a/b/c"), Token);
        await admin.RestoreResourceAsync(ResourceUri.Parse("a/b/c"), Token);
        Assert.Equal(2, (await admin.ListReferenceSetsAsync("", 10, Token)).Single().Version);
        Assert.Equal("""["b"]""", (await admin.ListReferenceValuesAsync("", 10, Token)).Single().Value.GetRawText());
        await admin.SetResourcePolicyAsync("a", "package policy\ndefault allow = false\n", Token);
        Assert.Equal(403, (await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker))).Status);
        await admin.DeletePolicyAsync("resource", "a", Token);
        Assert.Equal("one", await ReadAsync(broker));
        await admin.SetResourceTermsAsync(ResourceUri.Parse("a/b/c"), new ResourceTermsDocument { MaxReads = 1, Until = TestBroker.Start.AddDays(1) }, Token);
        Assert.Equal("one", await ReadAsync(broker));
        Assert.Equal("lease.exhausted", (await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker))).Code);
        await admin.RevokeAsync(new RevocationDocument { Kind = "token", Value = "x", Reason = "y" }, Token);
        Assert.Single(await admin.ListRevocationsAsync(Token));
        await admin.RewrapAsync(Token);
        Assert.NotEmpty(await admin.SearchAuditAsync(new AuditSearch { Kind = "attest", From = TestBroker.Start, Until = TestBroker.Start.AddDays(1), Tee = "sample" }, Token));
        using var bundle = new StringWriter();
        await AuditBundle.ExportAsync(admin, bundle, Token);
        var report = await AuditBundle.VerifyAsync(new StringReader(bundle.ToString()), null, null, Token);
        Assert.True(report.Holds, string.Join("; ", report.Problems));
    }

    [Fact]
    public async Task Restart_KeepsSecretsAndKeys()
    {
        await using var broker = await StartAsync();
        using (var admin = broker.Admin())
        {
            await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
            await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "kept"u8.ToArray(), Token);
        }

        await broker.CloseAsync();
        await broker.OpenAsync(o => Configure(o, _database, _key!));
        Assert.Equal("kept", await ReadAsync(broker));
    }

    [Fact]
    public async Task Writers_ManyAtOnce_LoseNothing()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => admin.PutResourceAsync(ResourceUri.Parse($"a/b/{i % 4}"), new byte[] { (byte)i }, Token)));
        Assert.All(await admin.ListResourcesAsync("", 10, false, Token), r => Assert.Equal(10, r.Version));
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), (await admin.ListAuditEntriesAsync(0, 100, Token)).Select(e => e.Sequence));
    }

    [Fact]
    public async Task RotateMasterKey_WhileTwoReplicasServe_LosesNothing()
    {
        await using var first = await StartAsync();
        await using var second = _database is null ? null : await StartReplicaAsync();
        var other = second ?? first;
        using var admin = first.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        for (var i = 0; i < 5; i++)
            await admin.PutResourceAsync(ResourceUri.Parse($"a/b/{i}"), "old"u8.ToArray(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "old"u8.ToArray(), Token);
        FileMasterKey.Create(_keys["next.key"]).Dispose();

        // Secrets are read and written at both replicas all the while.
        using var stop = new CancellationTokenSource();
        var traffic = Task.Run(
            async () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    using var writer = other.Admin(File.ReadAllText(first.Server.AdminTokenFile));
                    await writer.PutResourceAsync(ResourceUri.Parse("a/b/traffic"), BitConverter.GetBytes(i), Token);
                    Assert.Equal("old", await ReadAsync(other));
                }
            },
            Token);
        var status = await admin.RotateMasterKeyAsync(_keys["next.key"], Token);
        await admin.RewrapAsync(Token);
        await stop.CancelAsync();
        await traffic;

        Assert.NotEqual(_key!.Id, status.Current);
        status = await admin.GetMasterKeyAsync(Token);
        Assert.Equal([status.Current], status.Wrapped.Keys);
        Assert.Equal("old", await ReadAsync(first));
        Assert.Equal("object.conflict", (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.RotateMasterKeyAsync(_keys["next.key"], Token))).Code);
        Assert.Equal("object.conflict", (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.RotateMasterKeyAsync(_keys["master.key"], Token))).Code);

        // Replicas start with the old key, which leads to the new one, and with the new one alone.
        await first.CloseAsync();
        await first.OpenAsync(o => Configure(o, _database, _key!));
        Assert.Equal("old", await ReadAsync(first));
        await first.CloseAsync();
        if (second is not null)
            await second.CloseAsync();
        using var next = FileMasterKey.Load(_keys["next.key"]);
        await first.OpenAsync(o => Configure(o, _database, next));
        Assert.Equal("old", await ReadAsync(first));
    }

    [Fact]
    public async Task Backup_OfEither_RestoresIntoEither()
    {
        await using var broker = await StartAsync();
        using (var admin = broker.Admin())
        {
            await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
            await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "kept"u8.ToArray(), Token);
        }

        Assert.Equal("kept", await ReadAsync(broker));
        var copy = _keys["copy.db"];
        if (_database is { } source)
            BrokerBackup.CreateFromPostgres(source, copy, TestBroker.Start);
        else
            BrokerBackup.Create(broker.Folder, copy);
        var token = File.ReadAllText(broker.Server.AdminTokenFile);
        var before = await EntriesAsync(broker, token);

        await using (var restored = await TestBroker.StartAsync(o =>
        {
            Assert.Equal(4, BrokerBackup.Restore(copy, o.StateDirectory));
            return Configure(o, null, _key!);
        }))
        {
            Assert.Equal(before, await EntriesAsync(restored, token));
            Assert.Equal("kept", await ReadAsync(restored));
        }

        if (NewDatabase() is not { } target)
            return;
        Assert.Equal(4, BrokerBackup.RestoreToPostgres(copy, target, TestBroker.Start));
        Assert.Contains("has used it", Assert.Throws<Kist.Formats.OperationFailedException>(() => BrokerBackup.RestoreToPostgres(copy, target, TestBroker.Start)).Message, StringComparison.Ordinal);
        await using var replica = await TestBroker.StartAsync(o => Configure(o, target, _key!));
        Assert.Equal("kept", await ReadAsync(replica));
    }

    private static async Task<List<string>> EntriesAsync(TestBroker broker, string token)
    {
        using var admin = broker.Admin(token);
        return [.. (await admin.ListAuditEntriesAsync(0, 100, Token)).Select(e => e.Entry)];
    }

    private FileMasterKey? _key;
    private string? _database;

    private protected async Task<TestBroker> StartAsync()
    {
        _database = NewDatabase();
        _key = FileMasterKey.Create(_keys["master.key"]);
        return await TestBroker.StartAsync(o => Configure(o, _database, _key));
    }

    /// <summary>One more replica of the broker that <see cref="StartAsync"/> started.</summary>
    private protected Task<TestBroker> StartReplicaAsync() => TestBroker.StartAsync(o => Configure(o, _database, _key!));

    private protected static async Task<string> ReadAsync(TestBroker broker)
    {
        using var guest = broker.Guest();
        using var secret = await guest.GetResourceAsync("a/b/c", Token);
        return Encoding.UTF8.GetString(secret.Span);
    }

    private static KeyBrokerOptions Configure(KeyBrokerOptions options, string? database, FileMasterKey key) =>
        options with { PostgresConnectionString = database, MasterKey = key };
}

public sealed class SqliteStorageTests : SharedStorageTests
{
    protected override string? NewDatabase() => null;
}

public sealed class PostgresStorageTests(PostgresServer server) : SharedStorageTests, IClassFixture<PostgresServer>
{
    protected override string? NewDatabase() => server.CreateDatabase();

    [Fact]
    public async Task Replicas_ShareHandshakes_AndGrantEachOnce()
    {
        await using var first = await StartAsync();
        await using var second = await StartReplicaAsync();
        var handshake = await first.AuthAsync();
        var statuses = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            using var response = await (i % 2 == 0 ? first : second).PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
            return (int)response.StatusCode;
        }));
        Assert.Single(statuses, 200);
        Assert.Equal(11, statuses.Count(s => s == 401));
        // The token and the session are good at either.
        var token = await second.AttestAsync(await first.AuthAsync());
        using var admin = first.Admin();
        await admin.SetResourcePolicyAsync("", "package policy\ndefault allow = true\n", Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "shared"u8.ToArray(), Token);
        foreach (var broker in new[] { first, second })
        {
            using var byToken = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: token);
            using var bySession = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", cookie: handshake.Session);
            Assert.Equal((200, 200), ((int)byToken.StatusCode, (int)bySession.StatusCode));
        }
    }

    [Fact]
    public async Task Replicas_LeaseAndAuditLog_AreOne()
    {
        await using var first = await StartAsync();
        await using var second = await StartReplicaAsync();
        using var admin = first.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "shared"u8.ToArray(), Token);
        await admin.SetResourceTermsAsync(ResourceUri.Parse("a/b/c"), new ResourceTermsDocument { MaxReads = 3 }, Token);
        using var guestOfFirst = first.Guest();
        using var guestOfSecond = second.Guest();
        var given = await Task.WhenAll(Enumerable.Range(0, 10).Select(async i =>
        {
            try
            {
                (await (i % 2 == 0 ? guestOfFirst : guestOfSecond).GetResourceAsync("a/b/c", Token)).Dispose();
                return 1;
            }
            catch (KeyBrokerException e) when (e.Code == "lease.exhausted")
            {
                return 0;
            }
        }));
        Assert.Equal(3, given.Sum());
        using var bundle = new StringWriter();
        var head = await AuditBundle.ExportAsync(admin, bundle, Token);
        var report = await AuditBundle.VerifyAsync(new StringReader(bundle.ToString()), null, null, Token);
        Assert.True(report.Holds, string.Join("; ", report.Problems));
        Assert.Equal(head.Size, report.Entries);
    }

    [Fact]
    public async Task Sessions_TooManyOpen_IsBusy()
    {
        var database = server.CreateDatabase();
        await using var broker = await TestBroker.StartAsync(o => o with { PostgresConnectionString = database, MaxOpenSessions = 1 });
        var statuses = new List<int>();
        for (var i = 0; i < 130; i++)
        {
            using var response = await broker.PostAsync("/kbs/v0/auth", """{"version":"0.4.0","tee":"sample","extra-params":""}""");
            statuses.Add((int)response.StatusCode);
        }

        Assert.Equal(200, statuses[0]);
        Assert.Equal(503, statuses[^1]);
        broker.Time.Advance(TimeSpan.FromMinutes(5));
        await broker.AuthAsync();
    }
}
