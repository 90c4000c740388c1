using System.Text.Json;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

/// <summary>What a policy would change, told from recorded evidence before it is in force.</summary>
public sealed class WhatIfTests
{
    private const string DenyAll = "package policy\ndefault allow = false\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ResourcePolicy_ThatWouldDeny_IsSaidAndNothingChanges()
    {
        await using var broker = await StartAsync();
        var before = await SizeAsync(broker);
        var answer = await AskAsync(broker, "resource", "a", DenyAll);
        Assert.Equal(1, answer.Changed);
        var read = Assert.Single(answer.Results);
        Assert.Equal(("a/b/c", "allowed", "allowed", "denied"), (read.Subject, read.Recorded, read.Before, read.After));
        Assert.NotEmpty(read.Why);
        using var admin = broker.Admin();
        Assert.Equal(before, await SizeAsync(broker));
        Assert.DoesNotContain(await admin.ListPoliciesAsync("resource", null, false, Token), p => p.Scope == "a");
    }

    [Theory]
    [InlineData("other", 0)] // another repository's
    [InlineData("a/b/c", 1)]
    [InlineData("", 1)]
    [InlineData("floor", 1)]
    public async Task ResourcePolicy_OfAScope_ConcernsWhatItIsInForceFor(string scope, int concerned)
    {
        await using var broker = await StartAsync();
        var answer = await AskAsync(broker, "resource", scope, DenyAll);
        Assert.Equal((concerned, concerned), (answer.Results.Count, answer.Changed));
    }

    [Fact]
    public async Task ResourcePolicy_WiderThanOneInForce_ChangesNothing()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetResourcePolicyAsync("a", "package policy\ndefault allow = true\n", Token);
        Assert.Empty((await AskAsync(broker, "resource", "", DenyAll)).Results);
    }

    [Fact]
    public async Task ResourcePolicy_SeesTheReadsQuery()
    {
        await using var broker = await StartAsync();
        var token = await broker.AttestAsync(await broker.AuthAsync());
        using (var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c?reason=boot", bearer: token))
            Assert.Equal(200, (int)response.StatusCode);
        var answer = await AskAsync(broker, "resource", "", "package policy\nimport rego.v1\ndefault allow := false\nallow if data.query.reason == \"boot\"\n");
        Assert.Equal(["allowed", "denied"], answer.Results.Select(r => r.After));
    }

    [Fact]
    public async Task AttestationPolicy_ThatWouldContraindicate_IsSaid()
    {
        await using var broker = await StartAsync();
        var answer = await AskAsync(broker, "attestation", "default_cpu", "package policy\ntrust_claims = {\"executables\": 99}\n");
        var attest = Assert.Single(answer.Results);
        Assert.Equal(("affirming", "affirming", "contraindicated"), (attest.Recorded, attest.Before, attest.After));
        Assert.Empty((await AskAsync(broker, "attestation", "default_gpu", "package policy\ntrust_claims = {\"executables\": 99}\n")).Results);
    }

    [Fact]
    public async Task Policy_ThatFails_SaysSo()
    {
        await using var broker = await StartAsync();
        Assert.Equal("failed", Assert.Single((await AskAsync(broker, "attestation", "default_cpu", "package policy\ntrust_claims = 3\n")).Results).After);
        using var response = await broker.SendAsync(HttpMethod.Post, "/kist/v1/policies/resource/what-if", "package"u8.ToArray(), bearer: AdminToken(broker));
        Assert.Equal((400, "policy.malformed"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Fact]
    public async Task Auditor_IsNoPolicyAuthor()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        var auditor = (await admin.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "x", Roles = "auditor" }, Token)).Token!;
        using var response = await broker.SendAsync(HttpMethod.Post, "/kist/v1/policies/resource/what-if", [], bearer: auditor);
        Assert.Equal(403, (int)response.StatusCode);
    }

    private static async Task<TestBroker> StartAsync()
    {
        var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        using var guest = broker.Guest();
        (await guest.GetResourceAsync("a/b/c", Token)).Dispose();
        return broker;
    }

    private static string AdminToken(TestBroker broker) => File.ReadAllText(broker.Server.AdminTokenFile).Trim();

    private static async Task<long> SizeAsync(TestBroker broker)
    {
        using var admin = broker.Admin();
        return (await admin.GetAuditHeadAsync(Token)).Size;
    }

    private static async Task<WhatIfDocument> AskAsync(TestBroker broker, string kind, string scope, string policy)
    {
        using var response = await broker.SendAsync(
            HttpMethod.Post, $"/kist/v1/policies/{kind}/what-if?scope={Uri.EscapeDataString(scope)}", System.Text.Encoding.UTF8.GetBytes(policy), bearer: AdminToken(broker));
        var body = await response.Content.ReadAsByteArrayAsync(Token);
        Assert.True(response.IsSuccessStatusCode, System.Text.Encoding.UTF8.GetString(body));
        return KbsJson.Read<WhatIfDocument>(body, 1 << 20);
    }
}
