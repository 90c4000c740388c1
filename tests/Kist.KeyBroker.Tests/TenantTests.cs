using System.Net;
using System.Text;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

/// <summary>Tenants of one broker: nothing of one is seen, given out or decided at another.</summary>
public abstract class TenantTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract string? NewDatabase();

    private async Task<TestBroker> StartAsync(bool twoPersons = false)
    {
        var database = NewDatabase();
        var broker = await TestBroker.StartAsync(o => o with { PostgresConnectionString = database, RequireTwoPersons = twoPersons });
        using var admin = broker.Admin();
        foreach (var tenant in new[] { "acme", "other" })
            await admin.OpenTenantAsync(tenant, Token);
        return broker;
    }

    private static Uri Address(TestBroker broker, string tenant) => new(broker.Server.Endpoint, $"tenants/{tenant}");

    private static KeyBrokerAdminClient Admin(TestBroker broker, string tenant, string? token = null) =>
        new(Address(broker, tenant), broker.Server.CertificatePem, token ?? File.ReadAllText(broker.Server.AdminTokenFile));

    private static async Task<string> ReadAsync(TestBroker broker, string? tenant)
    {
        using var guest = new KeyBrokerClient(
            new KeyBrokerClientOptions { Endpoint = tenant is null ? broker.Server.Endpoint : Address(broker, tenant), CertificatePem = broker.Server.CertificatePem }, new SampleTee());
        using var secret = await guest.GetResourceAsync("a/b/c", Token);
        return Encoding.UTF8.GetString(secret.Span);
    }

    private static async Task<(int?, string?)> RefusalAsync(Func<Task> act)
    {
        var e = await Assert.ThrowsAsync<KeyBrokerException>(act);
        return (e.Status, e.Code);
    }

    [Fact]
    public async Task Secrets_OfTheSamePath_AreEachTenantsOwn()
    {
        await using var broker = await StartAsync();
        using var root = broker.Admin();
        using var acme = Admin(broker, "acme");
        using var other = Admin(broker, "other");
        foreach (var (admin, secret) in new[] { (root, "root's"), (acme, "acme's") })
        {
            await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), Encoding.UTF8.GetBytes(secret), Token);
            await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        }

        Assert.Equal("root's", await ReadAsync(broker, null));
        Assert.Equal("acme's", await ReadAsync(broker, "acme"));
        Assert.Equal((403, "policy.denied"), await RefusalAsync(() => ReadAsync(broker, "other")));
        await other.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        Assert.Equal((404, "resource.unknown"), await RefusalAsync(() => ReadAsync(broker, "other")));

        Assert.Empty(await other.ListResourcesAsync("", 10, true, Token));
        Assert.Equal("a/b/c", (await acme.ListResourcesAsync("", 10, true, Token)).Single().Path);
        Assert.Equal(1, (await root.ListResourcesAsync("", 10, true, Token)).Single().Version);
        await acme.DeleteResourceAsync(ResourceUri.Parse("a/b/c"), Token);
        await acme.PurgeResourceAsync(ResourceUri.Parse("a/b/c"), Token);
        Assert.Equal("root's", await ReadAsync(broker, null));
        Assert.Equal("sample/1", (await acme.ListReferenceSetsAsync("", 10, Token)).Single().Set.Name);
        Assert.Equal((404, "reference.unknown"), await RefusalAsync(() => root.DeleteReferenceSetAsync("acme sample/1", Token)));
        await root.DeleteReferenceSetAsync("sample/1", Token);
        Assert.Single(await acme.ListReferenceSetsAsync("", 10, Token));
    }

    [Fact]
    public async Task Tokens_AndSessions_OfOneTenant_AreOfNoUseAtAnother()
    {
        await using var broker = await StartAsync();
        foreach (var tenant in new[] { "acme", "other" })
        {
            using var admin = Admin(broker, tenant);
            await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
            await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        }

        const string auth = """{"version":"0.4.0","tee":"sample","extra-params":""}""";
        using var begun = await broker.PostAsync("/tenants/acme/kbs/v0/auth", auth);
        var cookie = begun.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("path=/tenants/acme/kbs/v0", cookie, StringComparison.OrdinalIgnoreCase);
        using var challenge = System.Text.Json.JsonDocument.Parse(await begun.Content.ReadAsStringAsync(Token));
        var handshake = new Handshake(cookie.Split(';')[0].Split('=')[1], challenge.RootElement.GetProperty("nonce").GetString()!, cookie);
        foreach (var elsewhere in new[] { "/kbs/v0/attest", "/tenants/other/kbs/v0/attest" })
        {
            using var refused = await broker.PostAsync(elsewhere, handshake.AttestBody(), handshake.Session);
            Assert.Equal("session.unknown", (await TestBroker.ErrorOf(refused)).Code);
        }

        using var attested = await broker.PostAsync("/tenants/acme/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
        using var body = System.Text.Json.JsonDocument.Parse(await attested.Content.ReadAsStringAsync(Token));
        var token = body.RootElement.GetProperty("token").GetString()!;
        async Task<string?> CodeAsync(string path, string? session)
        {
            using var response = await broker.SendAsync(HttpMethod.Get, path, cookie: session, bearer: session is null ? token : null);
            return response.IsSuccessStatusCode ? null : (await TestBroker.ErrorOf(response)).Code;
        }

        Assert.Null(await CodeAsync("/tenants/acme/kbs/v0/resource/a/b/c", null));
        Assert.Null(await CodeAsync("/tenants/acme/kbs/v0/resource/a/b/c", handshake.Session));
        foreach (var elsewhere in new[] { "/kbs/v0/resource/a/b/c", "/tenants/other/kbs/v0/resource/a/b/c" })
        {
            Assert.Equal("token.invalid", await CodeAsync(elsewhere, null));
            Assert.Equal("token.missing", await CodeAsync(elsewhere, handshake.Session));
        }
    }

    [Fact]
    public async Task Administrators_OfATenant_HaveItAndNothingElse()
    {
        await using var broker = await StartAsync();
        using var root = broker.Admin();
        using var rootAtAcme = Admin(broker, "acme");
        var made = await rootAtAcme.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "alice", Roles = "administrator" }, Token);
        Assert.Equal("acme", made.Tenant);
        using var alice = Admin(broker, "acme", made.Token);
        await alice.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        var second = await alice.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "bob", Roles = "auditor" }, Token);
        Assert.Equal("acme", second.Tenant);
        Assert.Equal(["alice", "bob"], (await alice.ListAdminTokensAsync(Token)).Select(t => t.Name));
        Assert.Equal(3, (await root.ListAdminTokensAsync(Token)).Count);
        Assert.Equal((404, "object.unknown"), await RefusalAsync(() => alice.RevokeAdminTokenAsync("first-administrator", Token)));

        using var aliceAtRoot = broker.Admin(made.Token);
        using var aliceAtOther = Admin(broker, "other", made.Token);
        foreach (var elsewhere in new[] { aliceAtRoot, aliceAtOther })
        {
            Assert.Equal((403, "admin.forbidden"), await RefusalAsync(() => elsewhere.ListResourcesAsync("", 10, false, Token)));
            Assert.Equal((403, "admin.forbidden"), await RefusalAsync(() => elsewhere.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token)));
        }

        Assert.Equal((403, "admin.forbidden"), await RefusalAsync(() => aliceAtRoot.OpenTenantAsync("more", Token)));
        Assert.Equal((403, "admin.forbidden"), await RefusalAsync(() => aliceAtRoot.GetMasterKeyAsync(Token)));
        Assert.Equal((404, "path.unknown"), await RefusalAsync(() => alice.GetMasterKeyAsync(Token)));
        Assert.Equal((404, "path.unknown"), await RefusalAsync(() => alice.OpenTenantAsync("more", Token)));
    }

    [Fact]
    public async Task Policies_OfATenant_AreItsOwn_UnderTheOperatorsFloor()
    {
        await using var broker = await StartAsync();
        using var root = broker.Admin();
        using var acme = Admin(broker, "acme");
        await acme.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        Assert.Equal((403, "policy.denied"), await RefusalAsync(() => ReadAsync(broker, "acme")));
        await acme.SetResourcePolicyAsync("", "package policy\ndefault allow = true\n", Token);
        Assert.Equal("s", await ReadAsync(broker, "acme"));
        Assert.Equal((403, "policy.denied"), await RefusalAsync(() => ReadAsync(broker, "other")));
        Assert.Empty(await root.ListPoliciesAsync("resource", "", false, Token));
        await root.SetResourcePolicyAsync("floor", "package policy\ndefault allow = false\n", Token);
        Assert.Equal((403, "policy.denied"), await RefusalAsync(() => ReadAsync(broker, "acme")));
        Assert.Equal([""], (await acme.ListPoliciesAsync("resource", null, true, Token)).Select(p => p.Scope));
    }

    [Fact]
    public async Task Audit_OfATenant_ShowsItsEntriesOnly()
    {
        await using var broker = await StartAsync();
        using var root = broker.Admin();
        using var acme = Admin(broker, "acme");
        using var other = Admin(broker, "other");
        await acme.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        await root.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        Assert.Single(await acme.SearchAuditAsync(new AuditSearch { Kind = "resource.write" }, Token));
        Assert.Empty(await other.SearchAuditAsync(new AuditSearch { Kind = "resource.write" }, Token));
        Assert.Equal(2, (await root.SearchAuditAsync(new AuditSearch { Kind = "resource.write" }, Token)).Count);
        Assert.Equal((403, "admin.forbidden"), await RefusalAsync(() => acme.ListAuditEntriesAsync(0, 10, Token)));
    }

    [Fact]
    public async Task Proposals_Terms_AndRevocations_AreEachTenantsOwn()
    {
        await using var broker = await StartAsync(twoPersons: true);
        using var root = broker.Admin();
        using var acme = Admin(broker, "acme");
        using var other = Admin(broker, "other");
        await acme.SetResourcePolicyAsync("", "package policy\ndefault allow = true\n", Token);
        var id = (await acme.ListProposalsAsync(false, Token)).Single().Id;
        Assert.Empty(await other.ListProposalsAsync(true, Token));
        Assert.Empty(await root.ListProposalsAsync(true, Token));
        Assert.Equal((404, "object.unknown"), await RefusalAsync(() => other.ApproveProposalAsync(id, Token)));
        await acme.RevokeAsync(new RevocationDocument { Kind = "token", Value = "x", Reason = "y" }, Token);
        Assert.Equal("x", (await acme.ListRevocationsAsync(Token)).Single().Value);
        Assert.Empty(await other.ListRevocationsAsync(Token));
        Assert.Empty(await root.ListRevocationsAsync(Token));
        var path = ResourceUri.Parse("a/b/c");
        await acme.SetResourceTermsAsync(path, new ResourceTermsDocument { MaxReads = 1 }, Token);
        Assert.Equal(1, (await acme.GetResourceTermsAsync(path, Token)).MaxReads);
        Assert.Equal((404, "object.unknown"), await RefusalAsync(() => other.GetResourceTermsAsync(path, Token)));
    }

    [Fact]
    public async Task Tenant_UnknownOrClosed_HasNoRoutes()
    {
        await using var broker = await StartAsync();
        using var root = broker.Admin();
        using var acme = Admin(broker, "acme");
        await acme.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        await root.CloseTenantAsync("acme", Token);
        foreach (var path in new[] { "/tenants/acme/kbs/v0/auth", "/tenants/none/kbs/v0/auth", "/tenants/A/kbs/v0/auth", "/tenants//kbs/v0/auth", "/tenants/other", "/tenants/other/healthz", "/tenants/other/tenants/other/kbs/v0/auth" })
        {
            using var response = await broker.PostAsync(path, """{"version":"0.4.0","tee":"sample","extra-params":""}""");
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }

        Assert.NotNull((await root.ListTenantsAsync(Token)).Single(t => t.Name == "acme").ClosedAt);
        Assert.Equal((404, "object.unknown"), await RefusalAsync(() => root.CloseTenantAsync("acme", Token)));
        await root.OpenTenantAsync("acme", Token);
        Assert.Single(await acme.ListResourcesAsync("", 10, false, Token));
        Assert.Equal((409, "object.conflict"), await RefusalAsync(() => root.OpenTenantAsync("acme", Token)));
        foreach (var name in new[] { "A", "a b", "-a", new string('a', 64) })
            Assert.Equal((400, "request.malformed"), await RefusalAsync(() => root.OpenTenantAsync(name, Token)));
    }
}

public sealed class SqliteTenantTests : TenantTests
{
    protected override string? NewDatabase() => null;
}

public sealed class PostgresTenantTests(PostgresServer server) : TenantTests, IClassFixture<PostgresServer>
{
    protected override string? NewDatabase() => server.CreateDatabase();
}
