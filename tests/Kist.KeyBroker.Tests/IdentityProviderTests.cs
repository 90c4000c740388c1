using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Administration;

namespace Kist.KeyBroker.Tests;

/// <summary>Administrators who sign in with tokens of an identity provider, which is a server of the test's own.</summary>
public sealed class IdentityProviderTests : IDisposable
{
    private readonly FakeIssuer _issuer = new();

    public void Dispose() => _issuer.Dispose();

    private Task<TestBroker> StartAsync(string more = "") => TestBroker.StartAsync(o => o with
    {
        IdentityProviders = IdentityProviders.Parse(Encoding.UTF8.GetBytes(
            $$"""
            {"providers": [{
              "issuer": "{{_issuer.Name}}", "audience": "kist"{{more}}, "role_claim": "realm.groups",
              "roles": [
                {"value": "ops", "roles": "secret-author"}, {"value": "watch", "roles": "auditor"}, {"value": "acme", "roles": "administrator", "tenant": "acme"}
              ]
            }]}
            """)),
    });

    private string TokenOf(TestBroker broker, string groups = """["ops","other"]""", string? issuer = null, string audience = "\"kist\"", int from = -10, int until = 600, string more = "", ECDsa? key = null) =>
        _issuer.Sign(
            $$$"""{"iss":"{{{issuer ?? _issuer.Name}}}","sub":"alice","aud":{{{audience}}},"iat":{{{Seconds(broker, from)}}},"exp":{{{Seconds(broker, until)}}},"realm":{"groups":{{{groups}}}}{{{more}}}}""", key);

    private static long Seconds(TestBroker broker, int offset) => broker.Time.GetUtcNow().ToUnixTimeSeconds() + offset;

    private static async Task<(HttpStatusCode, string?)> ListAsync(TestBroker broker, string token, string path = "/kist/v1/resources")
    {
        using var response = await broker.SendAsync(HttpMethod.Get, path, bearer: token);
        return (response.StatusCode, response.IsSuccessStatusCode ? null : (await TestBroker.ErrorOf(response)).Code);
    }

    [Fact]
    public async Task SignIn_WithAMappedRole_HasThatRoleAndNoOther()
    {
        await using var broker = await StartAsync();
        Assert.Equal((HttpStatusCode.OK, null), await ListAsync(broker, TokenOf(broker)));
        Assert.Equal((HttpStatusCode.Forbidden, "admin.forbidden"), await ListAsync(broker, TokenOf(broker), "/kist/v1/audit/entries?from=0"));
        Assert.Equal((HttpStatusCode.OK, null), await ListAsync(broker, TokenOf(broker, "\"watch\""), "/kist/v1/audit/entries?from=0"));
        using (var response = await broker.SendAsync(HttpMethod.Post, "/kbs/v0/resource/a/b/c", "s"u8.ToArray(), bearer: TokenOf(broker)))
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var admin = broker.Admin();
        var entry = (await admin.SearchAuditAsync(new Protocol.AuditSearch { Kind = "resource.write" }, TestContext.Current.CancellationToken)).Single();
        Assert.Contains($"alice@{_issuer.Name}", entry.Entry, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignIn_WhateverIsWrong_IsNobody()
    {
        await using var broker = await StartAsync();
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var good = TokenOf(broker);
        // The keys are fetched before many ask at once, since who waits for them keeps a thread that the issuer in this process needs.
        Assert.Equal(HttpStatusCode.OK, (await ListAsync(broker, good)).Item1);
        string[] wrong =
        [
            TokenOf(broker, key: stranger), TokenOf(broker, issuer: "https://other.example"), TokenOf(broker, audience: "\"else\""), TokenOf(broker, audience: "[]"),
            TokenOf(broker, until: -61), TokenOf(broker, from: 120), TokenOf(broker, from: -10, until: 90_000), TokenOf(broker, groups: "[\"none\"]"), TokenOf(broker, groups: "{}"),
            TokenOf(broker, more: $",\"nbf\":{Seconds(broker, 120)}"), good[..^4] + "AAAA", good[..good.LastIndexOf('.')] + ".", "a.b.c", "x",
            Base64Url.Encode("{\"alg\":\"none\"}"u8) + good[good.IndexOf('.')..],
        ];
        Assert.All(await Task.WhenAll(wrong.Select(t => ListAsync(broker, t))), answer => Assert.Equal((HttpStatusCode.Unauthorized, "admin.unauthenticated"), answer));
        Assert.Equal(HttpStatusCode.OK, (await ListAsync(broker, good)).Item1);
    }

    [Fact]
    public async Task SignIn_ForOneTenant_IsNotForTheRest()
    {
        await using var broker = await StartAsync();
        Assert.Equal((HttpStatusCode.Forbidden, "admin.forbidden"), await ListAsync(broker, TokenOf(broker, "\"acme\"")));
    }

    [Fact]
    public async Task Keys_AreCached_RefreshedForANewOne_AndEndWhenTheIssuerIsGoneForLong()
    {
        await using var broker = await StartAsync();
        for (var i = 0; i < 5; i++)
            Assert.Equal(HttpStatusCode.OK, (await ListAsync(broker, TokenOf(broker))).Item1);
        Assert.Equal(1, _issuer.KeyRequests);

        // The issuer changes its key: its tokens are taken at once, but strangers cannot make the broker ask all the time.
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        _issuer.ChangeKey();
        Assert.Equal(HttpStatusCode.OK, (await ListAsync(broker, TokenOf(broker))).Item1);
        Assert.Equal(2, _issuer.KeyRequests);
        _issuer.KeyId = "made up";
        for (var i = 0; i < 5; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await ListAsync(broker, TokenOf(broker))).Item1);
        Assert.Equal(2, _issuer.KeyRequests);
        _issuer.KeyId = "2";

        _issuer.Dispose();
        broker.Time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(HttpStatusCode.OK, (await ListAsync(broker, TokenOf(broker))).Item1);
        broker.Time.Advance(TimeSpan.FromMinutes(31));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "broker.unavailable"), await ListAsync(broker, TokenOf(broker)));
    }

    [Fact]
    public async Task Keys_OfAFile_NeedNoServer()
    {
        using var folder = new Testing.TemporaryDirectory();
        File.WriteAllText(folder["keys.json"], _issuer.KeySet);
        await using var broker = await StartAsync($", \"jwks_file\": \"{folder["keys.json"]}\"");
        Assert.Equal(HttpStatusCode.OK, (await ListAsync(broker, TokenOf(broker))).Item1);
        Assert.Equal(0, _issuer.KeyRequests);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"providers":[]}""")]
    [InlineData("""{"providers":[{"issuer":"https://a","roles":[{"value":"a","roles":"auditor"}]}]}""")]
    [InlineData("""{"providers":[{"issuer":"https://a","audience":"k","roles":[]}]}""")]
    [InlineData("""{"providers":[{"issuer":"https://a","audience":"k","roles":[{"value":"a","roles":"king"}]}]}""")]
    [InlineData("""{"providers":[{"issuer":"https://a","audience":"k","rols":1,"roles":[{"value":"a","roles":"auditor"}]}]}""")]
    [InlineData("""{"providers":[{"issuer":"no address","audience":"k","roles":[{"value":"a","roles":"auditor"}]}]}""")]
    [InlineData("""{"providers":[{"issuer":"https://a","audience":"k","jwks_uri":"https://b","jwks_file":"c","roles":[{"value":"a","roles":"auditor"}]}]}""")]
    public void Parse_AFileThatIsNotRight_Throws(string json) =>
        Assert.Throws<MalformedDataException>(() => IdentityProviders.Parse(Encoding.UTF8.GetBytes(json)));

    /// <summary>An issuer of tokens with one ES256 key: discovery and key set.</summary>
    private sealed class FakeIssuer : FakeService
    {
        private ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        public string Name => $"{Address}realm";

        public string KeyId { get; set; } = "1";

        public int KeyRequests { get; private set; }

        public string KeySet
        {
            get
            {
                using var document = JsonDocument.Parse(EcJsonWebKey.FromPublicKey(_key, "ES256").ToString());
                var members = string.Join(",", document.RootElement.EnumerateObject().Select(m => $"\"{m.Name}\":{m.Value.GetRawText()}"));
                return $$$"""{"keys":[{"kty":"oct","k":"AA"},{"kid":"{{{KeyId}}}",{{{members}}}}]}""";
            }
        }

        public void ChangeKey()
        {
            _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            KeyId = "2";
        }

        public string Sign(string payload, ECDsa? key = null) => JwsToken.Sign(key ?? _key, Encoding.UTF8.GetBytes(payload), w => w.WriteString("kid", KeyId));

        protected override (int Status, string Json) Answer(HttpListenerRequest request, byte[] body)
        {
            if (request.Url!.AbsolutePath == "/realm/.well-known/openid-configuration")
                return (200, $$"""{"issuer":"{{Name}}","jwks_uri":"{{Address}}keys?x=1"}""");
            if (request.Url.PathAndQuery != "/keys?x=1")
                return (404, "{}");
            KeyRequests++;
            return (200, KeySet);
        }
    }
}
