using System.Net;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

/// <summary>The broker with its real policy language.</summary>
public sealed class PolicyTests
{
    private const string AllowAll = "package policy\ndefault allow = true\n";
    private const string DenyAll = "package policy\ndefault allow = false\n";

    private static readonly ResourceUri Secret = ResourceUri.Parse("team-a/key/1");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static ReferenceSet SampleSet(string name = "sample/1", string digest = "abcde", string major = "1") => new()
    {
        Name = name,
        Tee = "sample",
        Claims = new Dictionary<string, IReadOnlyList<string>> { ["launch_digest"] = [digest], ["platform_version.major"] = [major] },
        Expires = TestBroker.Start.AddYears(1),
        Source = "test",
    };

    [Fact]
    public async Task DefaultPolicies_RegisteredGuest_GetsItsSecret()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet(), Token);
        Assert.Equal("s", await ReadAsync(broker));
    }

    [Fact]
    public async Task DefaultPolicies_NothingRegistered_Deny()
    {
        await using var broker = await StartAsync();
        await AssertDeniedAsync(broker);
    }

    [Fact]
    public async Task DefaultPolicies_ClaimsMetInDifferentSetsOnly_Deny()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet("one", "abcde", "2"), Token);
        await admin.RegisterReferenceSetAsync(SampleSet("two", "fffff", "1"), Token);
        await AssertDeniedAsync(broker);
    }

    [Fact]
    public async Task DefaultPolicies_ExpiredSet_Denies()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet() with { Expires = TestBroker.Start.AddHours(1) }, Token);
        Assert.Equal("s", await ReadAsync(broker));
        broker.Time.Advance(TimeSpan.FromHours(1));
        await AssertDeniedAsync(broker);
    }

    [Fact]
    public async Task DefaultPolicies_SetNotYetInForce_Denies()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet() with { NotBefore = TestBroker.Start.AddHours(1) }, Token);
        await AssertDeniedAsync(broker);
        broker.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("s", await ReadAsync(broker));
    }

    [Fact]
    public async Task DefaultPolicies_DeletedOrReplacedSet_Denies()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet(), Token);
        await admin.DeleteReferenceSetAsync("sample/1", Token);
        await AssertDeniedAsync(broker);
        await admin.RegisterReferenceSetAsync(SampleSet(), Token);
        Assert.Equal("s", await ReadAsync(broker));
        await admin.RegisterReferenceSetAsync(SampleSet(digest: "fffff"), Token);
        await AssertDeniedAsync(broker);
    }

    [Fact]
    public async Task DefaultPolicies_SetForAnotherTee_Denies()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet() with { Tee = "tdx" }, Token);
        await AssertDeniedAsync(broker);
    }

    [Fact]
    public async Task ResourcePolicy_NarrowestIsInForce()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetResourcePolicyAsync("", AllowAll, Token);
        Assert.Equal("s", await ReadAsync(broker));
        await admin.SetResourcePolicyAsync("team-a", DenyAll, Token);
        await AssertDeniedAsync(broker);
        await admin.SetResourcePolicyAsync("team-a/key/1", AllowAll, Token);
        Assert.Equal("s", await ReadAsync(broker));
        await admin.DeletePolicyAsync("resource", "team-a/key/1", Token);
        await AssertDeniedAsync(broker);
        await admin.DeletePolicyAsync("resource", "team-a", Token);
        Assert.Equal("s", await ReadAsync(broker));
    }

    [Fact]
    public async Task ResourcePolicy_Floor_MustAllowAsWell()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetResourcePolicyAsync("team-a/key/1", AllowAll, Token);
        await admin.SetResourcePolicyAsync("floor", DenyAll, Token);
        await AssertDeniedAsync(broker);
    }

    [Fact]
    public async Task ResourcePolicy_TrusteesInputs_AreThere()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetResourcePolicyAsync(
            "",
            """
            package policy
            default allow = false
            path := data["resource-path"]
            allow {
                data.plugin == "resource"
                path[0] == "team-a"
                count(path) == 3
                input.submods.cpu0["ear.veraison.annotated-evidence"].sample.svn == "1"
                input["eat_profile"] == "tag:github.com,2024:confidential-containers/Trustee"
            }
            """,
            Token);
        Assert.Equal("s", await ReadAsync(broker));
    }

    [Fact]
    public async Task AttestationPolicy_TrusteesReferenceValues_AreAsked()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetAttestationPolicyAsync(
            "default_cpu",
            """
            package policy
            import rego.v1
            default executables := 33
            executables := 3 if input.sample.launch_digest in query_reference_value("launch_digest")
            trust_claims := {"executables": executables}
            """,
            Token);
        await AssertDeniedAsync(broker);
        await admin.RegisterReferenceValuesAsync("""{"launch_digest":["abcde"]}"""u8.ToArray(), Token);
        Assert.Equal("s", await ReadAsync(broker));
        broker.Time.AdjustTime(broker.Time.GetUtcNow().AddDays(366));
        await AssertDeniedAsync(broker);
    }

    [Theory]
    [InlineData("trust_claims := {\"executable\": 3}")] // no such claim
    [InlineData("trust_claims := {\"executables\": 300}")]
    [InlineData("trust_claims := {\"executables\": \"3\"}")]
    [InlineData("trust_claims := [3]")]
    [InlineData("trust_claims := {\"executables\": n} { n := count([x | numbers.range(1, 100000)[_] ; numbers.range(1, 100000)[_]; x := 1]) }")] // never ends
    public async Task AttestationPolicy_Faulty_GivesNoToken(string rule)
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetAttestationPolicyAsync("default_cpu", $"package policy\n{rule}\n", Token);
        var handshake = await broker.AuthAsync();
        using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
        Assert.Equal((500, "policy.failed"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Fact]
    public async Task AttestationPolicy_WithoutTheRule_AffirmsNothing()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetAttestationPolicyAsync("default_cpu", "package policy\nx := 1\n", Token);
        await AssertDeniedAsync(broker);
    }

    [Fact]
    public async Task AttestationPolicy_Extensions_AreInTheToken()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetAttestationPolicyAsync(
            "default_cpu",
            """
            package policy
            trust_claims := {"executables": 3}
            extensions := [{"name": "ear.trustee.identifiers", "key": -18, "value": {"a": 1}}, {"name": "ear.status", "key": 1, "value": "affirming"}]
            """,
            Token);
        var token = JwsToken.Parse(await broker.AttestAsync(await broker.AuthAsync()));
        using var claims = JsonDocument.Parse(token.Payload);
        var cpu = claims.RootElement.GetProperty("submods").GetProperty("cpu0");
        Assert.Equal("""{"a":1}""", cpu.GetProperty("ear.trustee.identifiers").GetRawText());
        Assert.Single(cpu.EnumerateObject(), m => m.Name == "ear.status");
    }

    [Theory]
    [InlineData("package policy\nallow {")]
    [InlineData("not rego")]
    [InlineData("package policy\nallow { unknown_function(1) }")]
    public async Task SetPolicy_NotRego_IsRefusedWithItsPlace(string text)
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => admin.SetResourcePolicyAsync("", text, Token));
        Assert.Equal((400, "policy.malformed"), (error.Status, error.Code));
        Assert.Matches(@":\d+", error.Message);
    }

    [Fact]
    public async Task SetPolicy_TrusteesRoutes_Work()
    {
        await using var broker = await StartAsync();
        var bearer = File.ReadAllText(broker.Server.AdminTokenFile).Trim();
        var policy = Base64Url.Encode(Encoding.UTF8.GetBytes(AllowAll));
        using (var set = await broker.PostAsync("/kbs/v0/resource-policy", $$"""{"policy":"{{policy}}"}""", bearer: bearer))
            Assert.Equal((HttpStatusCode.OK, ""), (set.StatusCode, await set.Content.ReadAsStringAsync(Token)));
        Assert.Equal("s", await ReadAsync(broker));
        var trust = Base64Url.Encode("package policy\ntrust_claims := {\"executables\": 99}"u8);
        using (var set = await broker.PostAsync("/kbs/v0/attestation-policy", $$"""{"type":"rego","policy_id":"default_cpu","policy":"{{trust}}"}""", bearer: bearer))
            Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        using (var list = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource-policy", bearer: bearer))
            Assert.Equal("""["resource-policy"]""", await list.Content.ReadAsStringAsync(Token));
        using var padded = await broker.PostAsync("/kbs/v0/resource-policy", """{"policy":"+/=="}""", bearer: bearer);
        Assert.Equal("policy.malformed", (await TestBroker.ErrorOf(padded)).Code);
    }

    [Fact]
    public async Task ListPolicies_HasDefaultsAndHistory()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        var before = Assert.Single(await admin.ListPoliciesAsync("resource", null, false, Token));
        Assert.Equal((0, ""), (before.Version, before.Scope));
        await admin.SetResourcePolicyAsync("", AllowAll, Token);
        await admin.SetResourcePolicyAsync("", DenyAll, Token);
        Assert.Equal([AllowAll, DenyAll], (await admin.ListPoliciesAsync("resource", "", true, Token)).Select(p => p.Text));
        Assert.Contains((await admin.ListPoliciesAsync("attestation", null, false, Token)), p => p is { Scope: "default_cpu", Version: 0 });
    }

    private static async Task<TestBroker> StartAsync()
    {
        var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.PutResourceAsync(Secret, "s"u8.ToArray(), Token);
        return broker;
    }

    private static async Task<string> ReadAsync(TestBroker broker)
    {
        using var guest = broker.Guest();
        using var secret = await guest.GetResourceAsync(Secret.ToString(), Token);
        return Encoding.UTF8.GetString(secret.Span);
    }

    private static async Task AssertDeniedAsync(TestBroker broker)
    {
        using var guest = broker.Guest();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => guest.GetResourceAsync(Secret.ToString(), Token));
        Assert.Equal((403, "policy.denied"), (error.Status, error.Code));
    }
}
