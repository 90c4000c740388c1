using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

public sealed class AdministrationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("secret-author", "secret")]
    [InlineData("policy-author", "policy")]
    [InlineData("reference-author", "reference")]
    [InlineData("auditor", "audit")]
    [InlineData("token-author", "token")]
    [InlineData("administrator", "secret policy reference audit token")]
    [InlineData("secret-author,auditor", "secret audit")]
    public async Task Role_MayDoItsOwnWorkAndNoOther(string roles, string allowed)
    {
        await using var broker = await TestBroker.StartAsync();
        using var first = broker.Admin();
        var created = await first.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "tester", Roles = roles }, Token);
        using var admin = broker.Admin(created.Token);
        var work = new Dictionary<string, Func<Task>>
        {
            ["secret"] = () => admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), new byte[1], Token),
            ["policy"] = () => admin.SetResourcePolicyAsync("", "package policy\ndefault allow = false\n", Token),
            ["reference"] = () => admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token),
            ["audit"] = () => admin.GetAuditHeadAsync(Token),
            ["token"] = () => admin.RevokeAdminTokenAsync("nobody", Token),
        };
        foreach (var (name, act) in work)
        {
            var error = await Record.ExceptionAsync(act) as KeyBrokerException;
            if (allowed.Contains(name, StringComparison.Ordinal))
                Assert.True(error is null or { Status: 404 }, $"{name}: {error?.Message}");
            else
                Assert.Equal((403, "admin.forbidden"), (error?.Status, error?.Code));
        }

        // Whoever is refused leaves a trace.
        Assert.Equal(work.Count - allowed.Split(' ').Length, (await first.SearchAuditAsync(new AuditSearch { Kind = "admin", Outcome = "denied" }, Token)).Count);
    }

    [Fact]
    public async Task Token_Revoked_IsNoLongerGood()
    {
        await using var broker = await TestBroker.StartAsync();
        using var first = broker.Admin();
        var created = await first.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "tester", Roles = "auditor" }, Token);
        using var admin = broker.Admin(created.Token);
        await admin.GetAuditHeadAsync(Token);
        await first.RevokeAdminTokenAsync("tester", Token);
        Assert.Equal(401, (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.GetAuditHeadAsync(Token))).Status);
        Assert.Equal(409, (await Assert.ThrowsAsync<KeyBrokerException>(
            () => first.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "tester", Roles = "auditor" }, Token))).Status);
        Assert.All(await first.ListAdminTokensAsync(Token), t => Assert.Null(t.Token));
    }

    [Fact]
    public async Task Token_Expired_IsNoLongerGood()
    {
        await using var broker = await TestBroker.StartAsync();
        using var first = broker.Admin();
        var created = await first.CreateAdminTokenAsync(
            new CreateAdminTokenRequest { Name = "tester", Roles = "auditor", Expires = TestBroker.Start.AddHours(1) }, Token);
        using var admin = broker.Admin(created.Token);
        await admin.GetAuditHeadAsync(Token);
        broker.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(401, (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.GetAuditHeadAsync(Token))).Status);
    }

    [Theory]
    [InlineData("administrator")]
    [InlineData("token-author,secret-author")]
    public async Task Token_WithMoreThanItsAuthorHas_IsNotMade(string roles)
    {
        await using var broker = await TestBroker.StartAsync();
        using var first = broker.Admin();
        var author = await first.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "author", Roles = "token-author" }, Token);
        using var admin = broker.Admin(author.Token);
        Assert.Equal(403, (await Assert.ThrowsAsync<KeyBrokerException>(
            () => admin.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "x", Roles = roles }, Token))).Status);
    }

    [Theory]
    [InlineData("tester", "king")]
    [InlineData("tester", "")]
    [InlineData("a name", "auditor")]
    [InlineData("", "auditor")]
    public async Task Token_Unfit_IsNotMade(string name, string roles)
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        Assert.Equal(400, (await Assert.ThrowsAsync<KeyBrokerException>(
            () => admin.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = name, Roles = roles }, Token))).Status);
    }

    [Fact]
    public async Task ReferenceSets_ListHistoryAndUnfitOnes()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        var set = PolicyTests.SampleSet();
        await admin.RegisterReferenceSetAsync(set, Token);
        await admin.RegisterReferenceSetAsync(set with { Source = "second" }, Token);
        await admin.RegisterReferenceSetAsync(set with { Name = "z" }, Token);
        var list = await admin.ListReferenceSetsAsync("", 10, Token);
        Assert.Equal([("sample/1", 2L), ("z", 1L)], list.Select(s => (s.Set.Name, s.Version)));
        Assert.Equal("first-administrator", list[0].RegisteredBy);
        Assert.True(list[0].InForce);
        Assert.Equal(["z"], (await admin.ListReferenceSetsAsync("sample/1", 10, Token)).Select(s => s.Set.Name));
        Assert.Equal(["test", "second"], (await admin.ReferenceSetHistoryAsync("sample/1", Token)).Select(s => s.Set.Source));

        foreach (var unfit in new[]
        {
            set with { Name = "a name" },
            set with { Claims = new Dictionary<string, IReadOnlyList<string>>() },
            set with { Claims = new Dictionary<string, IReadOnlyList<string>> { ["x"] = [] } },
            set with { Claims = new Dictionary<string, IReadOnlyList<string>> { ["x"] = [""] } },
            set with { NotBefore = set.Expires },
            set with { Source = "" },
        })
            Assert.Equal("reference.malformed", (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.RegisterReferenceSetAsync(unfit, Token))).Code);
    }

    [Fact]
    public async Task ReferenceValues_TrusteesRoute_StoresAndReads()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceValuesAsync("""{"snp_launch_measurement":["aa"],"ns/a:b":5}"""u8.ToArray(), Token);
        var bearer = File.ReadAllText(broker.Server.AdminTokenFile).Trim();
        using (var value = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/reference-value/ns/a:b", bearer: bearer))
            Assert.Equal("5", await value.Content.ReadAsStringAsync(Token));
        using (var absent = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/reference-value/none", bearer: bearer))
            Assert.Equal((404, "reference.unknown"), ((int)absent.StatusCode, (await TestBroker.ErrorOf(absent)).Code));
        Assert.Equal(2, (await admin.ListReferenceValuesAsync("", 10, Token)).Count);
        await admin.DeleteReferenceValueAsync("ns/a:b", Token);
        Assert.Single(await admin.ListReferenceValuesAsync("", 10, Token));
        foreach (var body in new[] { """{"type":"sample","payload":"e30"}""", """{"type":"swid","payload":"e30="}""", """{"type":"sample","payload":"W10="}""" })
        {
            using var refused = await broker.PostAsync("/kbs/v0/reference-value", body, bearer: bearer);
            Assert.Equal("reference.malformed", (await TestBroker.ErrorOf(refused)).Code);
        }
    }
}
