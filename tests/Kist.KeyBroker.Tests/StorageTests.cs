using System.Text;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Storage;
using Kist.Testing;
using Microsoft.Data.Sqlite;

namespace Kist.KeyBroker.Tests;

/// <summary>What survives a restart, and what somebody with the database's file can do.</summary>
public sealed class StorageTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restart_KeepsEverythingButOpenHandshakes()
    {
        await using var broker = await StartAsync();
        var token = await broker.AttestAsync(await broker.AuthAsync());
        var open = await broker.AuthAsync();
        var certificate = broker.Server.CertificatePem;
        var adminToken = File.ReadAllText(broker.Server.AdminTokenFile);
        await broker.CloseAsync();
        await broker.OpenAsync();
        Assert.Equal(certificate, broker.Server.CertificatePem);
        Assert.Equal(adminToken, File.ReadAllText(broker.Server.AdminTokenFile));
        Assert.Equal("first", await ReadAsync(broker));
        using (var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/1", bearer: token))
            Assert.True(response.IsSuccessStatusCode);
        using var gone = await broker.PostAsync("/kbs/v0/attest", open.AttestBody(), open.Session);
        Assert.Equal("session.unknown", (await TestBroker.ErrorOf(gone)).Code);
    }

    [Fact]
    public async Task MasterKey_MissingOrReadableByOthers_IsNotStartedWith()
    {
        await using var broker = await StartAsync();
        await broker.CloseAsync();
        var path = Path.Combine(broker.Folder, "master.key");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        var error = await Assert.ThrowsAsync<OperationFailedException>(() => broker.OpenAsync());
        Assert.Contains("others than its owner", error.Message, StringComparison.Ordinal);
        File.Delete(path);
        await Assert.ThrowsAsync<OperationFailedException>(() => broker.OpenAsync());
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task MasterKey_Another_IsNotStartedWith()
    {
        await using var broker = await StartAsync();
        await broker.CloseAsync();
        var path = Path.Combine(broker.Folder, "master.key");
        File.Delete(path);
        FileMasterKey.Create(path).Dispose();
        await Assert.ThrowsAsync<OperationFailedException>(() => broker.OpenAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("kist-master-key-1 \n")]
    [InlineData("kist-master-key-1 AAAA\n")]
    [InlineData("kist-master-key-2 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")]
    public void MasterKey_NotSuchAFile_IsRefused(string content)
    {
        var folder = Directory.CreateTempSubdirectory();
        var path = Path.Combine(folder.FullName, "key");
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead);
        Assert.Throws<OperationFailedException>(() => FileMasterKey.Load(path));
        folder.Delete(recursive: true);
    }

    [Theory]
    // One secret passed off as another.
    [InlineData("UPDATE resource_version SET (master_key, wrapped_key, sealed) = (SELECT master_key, wrapped_key, sealed FROM resource_version WHERE path = 'a/b/2') WHERE path = 'a/b/1'")]
    // An earlier version passed off as the present one.
    [InlineData("UPDATE resource_version SET (master_key, wrapped_key, sealed) = (SELECT master_key, wrapped_key, sealed FROM resource_version WHERE path = 'a/b/1' AND version = 1) WHERE path = 'a/b/1' AND version = 2")]
    // Changed bytes.
    [InlineData("UPDATE resource_version SET sealed = zeroblob(length(sealed))")]
    [InlineData("UPDATE resource_version SET wrapped_key = zeroblob(length(wrapped_key))")]
    [InlineData("UPDATE resource_version SET sealed = x''")]
    [InlineData("UPDATE resource_version SET master_key = 'file:other'")]
    public async Task Database_ChangedByHand_GivesNothing(string sql)
    {
        await using var broker = await StartAsync();
        using (var admin = broker.Admin())
            await admin.PutResourceAsync(ResourceUri.Parse("a/b/1"), "first, second version"u8.ToArray(), Token);
        await broker.CloseAsync();
        Execute(Path.Combine(broker.Folder, "broker.db"), sql);
        await broker.OpenAsync();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker));
        Assert.Equal((500, "broker.failed"), (error.Status, error.Code));
    }

    [Fact]
    public async Task MasterKey_Rotated_RewrapsWhileRunning()
    {
        await using var broker = await StartAsync();
        await broker.CloseAsync();
        using var old = FileMasterKey.Load(Path.Combine(broker.Folder, "master.key"));
        using var fresh = FileMasterKey.Create(Path.Combine(broker.Folder, "master-2.key"));
        await broker.OpenAsync(o => o with { MasterKey = fresh, EarlierMasterKeys = [old] });
        Assert.Equal("first", await ReadAsync(broker));
        using (var admin = broker.Admin())
        {
            await admin.RewrapAsync(Token);
            Assert.All(await admin.ListResourceVersionsAsync(ResourceUri.Parse("a/b/1"), Token), v => Assert.Equal(fresh.Id, v.MasterKey));
        }

        await broker.CloseAsync();
        await broker.OpenAsync(o => o with { MasterKey = fresh });
        Assert.Equal("first", await ReadAsync(broker));
    }

    [Fact]
    public void Envelope_AnotherNameOrVersion_DoesNotOpen()
    {
        var folder = Directory.CreateTempSubdirectory();
        using var key = FileMasterKey.Create(Path.Combine(folder.FullName, "key"));
        using var database = new SqliteDatabase(Path.Combine(folder.FullName, "db"), false);
        Schema.Migrate(database, TestBroker.Start);
        using var keys = new MasterKeyRing(key, [], new MasterKeyStore(database), TimeProvider.System);
        var envelope = Envelope.Seal(keys, "secret"u8, "a/b/c", 1);
        using (var opened = envelope.Open(keys, "a/b/c", 1))
            Assert.Equal("secret", Encoding.UTF8.GetString(opened.Span));
        Assert.Throws<OperationFailedException>(() => envelope.Open(keys, "a/b/c", 2));
        Assert.Throws<OperationFailedException>(() => envelope.Open(keys, "a/b/d", 1));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Backup_WhileRunning_RestoresToTheSameMoment()
    {
        await using var broker = await StartAsync();
        using var folder = new TemporaryDirectory();
        var copy = Path.Combine(folder.Path, "copy.db");
        BrokerBackup.Create(broker.Folder, copy);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(copy));
        Assert.Throws<OperationFailedException>(() => BrokerBackup.Create(broker.Folder, copy));
        using (var admin = broker.Admin())
            await admin.PutResourceAsync(ResourceUri.Parse("a/b/1"), "later"u8.ToArray(), Token);
        await broker.CloseAsync();
        Assert.Throws<OperationFailedException>(() => BrokerBackup.Restore(copy, broker.Folder));
        foreach (var file in Directory.EnumerateFiles(broker.Folder, "broker.db*"))
            File.Delete(file);
        Assert.Equal(3, BrokerBackup.Restore(copy, broker.Folder));
        await broker.OpenAsync();
        Assert.Equal("first", await ReadAsync(broker));
    }

    [Theory]
    [InlineData("UPDATE audit_entry SET body = x'7b7d' WHERE sequence = 1")]
    [InlineData("DELETE FROM audit_entry WHERE sequence = 2")]
    [InlineData("DELETE FROM audit_entry WHERE sequence = 0")]
    [InlineData("UPDATE audit_size SET size = 2")]
    public async Task Restore_AuditLogChangedInTheCopy_IsRefused(string sql)
    {
        await using var broker = await StartAsync();
        using var folder = new TemporaryDirectory();
        var copy = Path.Combine(folder.Path, "copy.db");
        BrokerBackup.Create(broker.Folder, copy);
        Execute(copy, sql);
        var target = Path.Combine(folder.Path, "state");
        Assert.Throws<OperationFailedException>(() => BrokerBackup.Restore(copy, target));
        Assert.False(File.Exists(Path.Combine(target, "broker.db")));
    }

    private static void Execute(string path, string sql)
    {
        using var database = new SqliteConnection($"Data Source={path};Pooling=False");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = sql;
        Assert.True(command.ExecuteNonQuery() > 0);
    }

    private static async Task<TestBroker> StartAsync()
    {
        var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/1"), "first"u8.ToArray(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/2"), "another"u8.ToArray(), Token);
        return broker;
    }

    private static async Task<string> ReadAsync(TestBroker broker)
    {
        using var guest = broker.Guest();
        using var secret = await guest.GetResourceAsync("a/b/1", Token);
        return Encoding.UTF8.GetString(secret.Span);
    }
}
