using System.Net;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

public sealed class ResourceTests
{
    private const string Path = "/kbs/v0/resource/team-a/key/1";

    private static readonly ResourceUri Secret = ResourceUri.Parse("team-a/key/1");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_WithoutCredential_IsUnauthorized()
    {
        await using var broker = await StartAsync();
        await AssertErrorAsync(broker.SendAsync(HttpMethod.Get, Path), 401, "token.missing", "TokenNotFound");
    }

    [Fact]
    public async Task Read_TamperedToken_IsUnauthorized()
    {
        await using var broker = await StartAsync();
        var token = await broker.AttestAsync(await broker.AuthAsync());
        for (var i = 0; i < token.Length; i += Math.Max(1, token.Length / 60))
        {
            if (token[i] == '.')
                continue;
            var tampered = token.ToCharArray();
            tampered[i] = tampered[i] == 'A' ? 'Q' : 'A';
            await AssertErrorAsync(broker.SendAsync(HttpMethod.Get, Path, bearer: new string(tampered)), 401, "token.invalid", "TokenVerifierError");
        }
    }

    [Fact]
    public async Task Read_TokenSignedByItsOwnHeaderKey_IsUnauthorized()
    {
        await using var broker = await StartAsync();
        var genuine = JwsToken.Parse(await broker.AttestAsync(await broker.AuthAsync()));
        using var forger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var forged = JwsToken.Sign(forger, genuine.Payload.Span, writer =>
        {
            writer.WritePropertyName("jwk");
            EcJsonWebKey.FromPublicKey(forger, "ES256").WriteTo(writer);
        });
        await AssertErrorAsync(broker.SendAsync(HttpMethod.Get, Path, bearer: forged), 401, "token.invalid", "TokenVerifierError");
    }

    [Theory]
    [InlineData("x")]
    [InlineData("a.b.c")]
    [InlineData("eyJhbGciOiJub25lIn0.e30.")]
    public async Task Read_NoToken_IsUnauthorized(string bearer)
    {
        await using var broker = await StartAsync();
        await AssertErrorAsync(broker.SendAsync(HttpMethod.Get, Path, bearer: bearer), 401, "token.invalid", "TokenVerifierError");
    }

    [Fact]
    public async Task Read_ExpiredToken_IsUnauthorizedAndTheClientAttestsAgain()
    {
        await using var broker = await StartAsync();
        var token = await broker.AttestAsync(await broker.AuthAsync());
        using var guest = broker.Guest();
        (await guest.GetResourceAsync(Secret.ToString(), Token)).Dispose();
        broker.Time.Advance(TimeSpan.FromMinutes(5));
        await AssertErrorAsync(broker.SendAsync(HttpMethod.Get, Path, bearer: token), 401, "token.expired", "TokenVerifierError");
        (await guest.GetResourceAsync(Secret.ToString(), Token)).Dispose();
    }

    [Fact]
    public async Task Read_CookieAndBearer_AttestedSessionIsTakenFirst()
    {
        await using var broker = await StartAsync();
        var attested = await broker.AuthAsync();
        var token = await broker.AttestAsync(attested);
        var fresh = await broker.AuthAsync();
        async Task<HttpStatusCode> Read(string? cookie, string? bearer)
        {
            using var response = await broker.SendAsync(HttpMethod.Get, Path, cookie: cookie, bearer: bearer);
            return response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await Read(attested.Session, null));
        Assert.Equal(HttpStatusCode.OK, await Read(attested.Session, "garbage"));
        Assert.Equal(HttpStatusCode.OK, await Read(fresh.Session, token));
        Assert.Equal(HttpStatusCode.OK, await Read(new string('0', 32), token));
        Assert.Equal(HttpStatusCode.Unauthorized, await Read(fresh.Session, null));
        Assert.Equal(HttpStatusCode.Unauthorized, await Read(fresh.Session, "garbage"));
        // Another guest's session gives only what is encrypted to that guest's key.
        using var response = await broker.SendAsync(HttpMethod.Get, Path, cookie: attested.Session);
        var message = JweMessage.Parse(await response.Content.ReadAsByteArrayAsync(Token));
        Assert.ThrowsAny<CryptographicException>(() => message.Decrypt(fresh.Key));
    }

    [Fact]
    public async Task Read_AbsentSecret_OnlyTheEntitledLearnIt()
    {
        await using var broker = await StartAsync();
        using var guest = broker.Guest();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => guest.GetResourceAsync("team-a/key/none", Token));
        Assert.Equal((404, "resource.unknown"), (error.Status, error.Code));
        using var admin = broker.Admin();
        await admin.SetResourcePolicyAsync("", "package policy\ndefault allow = false\n", Token);
        using var denied = broker.Guest();
        error = await Assert.ThrowsAsync<KeyBrokerException>(() => denied.GetResourceAsync("team-a/key/none", Token));
        Assert.Equal((403, "policy.denied"), (error.Status, error.Code));
    }

    [Theory]
    [InlineData("GET", "/kbs/v0/resource/a/b", 404, "path.unknown")]
    [InlineData("GET", "/kbs/v0/resource/a/b/c/d", 404, "path.unknown")]
    [InlineData("GET", "/kbs/v0/resource/a/b/.c", 404, "path.unknown")]
    [InlineData("GET", "/kbs/v0/resource/a/b/c%2Fd", 404, "path.unknown")]
    [InlineData("PUT", "/kbs/v0/resource/a/b/c", 405, "request.method")]
    [InlineData("GET", "/kbs/v0/auth", 404, "plugin.unknown")]
    [InlineData("POST", "/kbs/v0/nebula-ca/credential", 404, "plugin.unknown")]
    [InlineData("GET", "/kbs/v0/", 404, "path.unknown")]
    [InlineData("GET", "/kbs/v1/auth", 404, "path.unknown")]
    [InlineData("GET", "/", 404, "path.unknown")]
    [InlineData("GET", "/kist/v1/nothing", 404, "path.unknown")]
    [InlineData("POST", "/healthz", 405, "request.method")]
    public async Task Route_Unknown_IsRefusedInTheProtocolsForm(string method, string path, int status, string code)
    {
        await using var broker = await StartAsync();
        await AssertErrorAsync(broker.SendAsync(new HttpMethod(method), path), status, code);
    }

    [Fact]
    public async Task Write_WithoutAdministratorsToken_IsRefused()
    {
        await using var broker = await StartAsync();
        var guestToken = await broker.AttestAsync(await broker.AuthAsync());
        foreach (var bearer in new[] { null, "x", guestToken, "kist_admin_" + Base64Url.Encode(new byte[32]) })
        {
            await AssertErrorAsync(broker.SendAsync(HttpMethod.Post, Path, [1], bearer: bearer), 401, "admin.unauthenticated", "AdminAuthAccess");
            await AssertErrorAsync(broker.SendAsync(HttpMethod.Delete, Path, bearer: bearer), 401, "admin.unauthenticated", "AdminAuthAccess");
            await AssertErrorAsync(broker.PostAsync("/kbs/v0/resource-policy", "{}", bearer: bearer), 401, "admin.unauthenticated");
            await AssertErrorAsync(broker.PostAsync("/kbs/v0/reference-value", "{}", bearer: bearer), 401, "admin.unauthenticated");
            await AssertErrorAsync(broker.SendAsync(HttpMethod.Get, "/kist/v1/audit/entries", bearer: bearer), 401, "admin.unauthenticated");
            await AssertErrorAsync(broker.SendAsync(HttpMethod.Get, "/kist/v1/resources", bearer: bearer), 401, "admin.unauthenticated");
            await AssertErrorAsync(broker.SendAsync(HttpMethod.Get, "/kist/v1/admin-tokens", bearer: bearer), 401, "admin.unauthenticated");
        }
    }

    [Fact]
    public async Task Write_ThenDeleteRestorePurge_FollowTheStates()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.PutResourceAsync(Secret, "second"u8.ToArray(), Token);
        Assert.Equal("second", await ReadAsync(broker));
        Assert.Equal([1L, 2L], (await admin.ListResourceVersionsAsync(Secret, Token)).Select(v => v.Version));
        await admin.SelectResourceVersionAsync(Secret, 1, Token);
        Assert.Equal("first", await ReadAsync(broker));
        await Assert.ThrowsAsync<KeyBrokerException>(() => admin.SelectResourceVersionAsync(Secret, 3, Token));
        await Assert.ThrowsAsync<KeyBrokerException>(() => admin.PurgeResourceAsync(Secret, Token));

        await admin.DeleteResourceAsync(Secret, Token);
        Assert.Equal(404, (await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker))).Status);
        Assert.Equal(404, (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.DeleteResourceAsync(Secret, Token))).Status);
        Assert.Empty(await admin.ListResourcesAsync("", 10, false, Token));
        Assert.NotNull(Assert.Single(await admin.ListResourcesAsync("", 10, true, Token)).DeletedAt);

        await admin.RestoreResourceAsync(Secret, Token);
        Assert.Equal("first", await ReadAsync(broker));
        await admin.DeleteResourceAsync(Secret, Token);
        await admin.PurgeResourceAsync(Secret, Token);
        await Assert.ThrowsAsync<KeyBrokerException>(() => admin.RestoreResourceAsync(Secret, Token));
        await Assert.ThrowsAsync<KeyBrokerException>(() => admin.ListResourceVersionsAsync(Secret, Token));
        await admin.PutResourceAsync(Secret, "anew"u8.ToArray(), Token);
        Assert.Equal("anew", await ReadAsync(broker));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(KbsProtocol.MaxResourceBytes)]
    public async Task Write_AnySizeUpToTheLimit_ReadsBack(int size)
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        var secret = RandomNumberGenerator.GetBytes(size);
        await admin.PutResourceAsync(Secret, secret, Token);
        using var guest = broker.Guest();
        using var read = await guest.GetResourceAsync(Secret.ToString(), Token);
        Assert.Equal(secret, read.Span.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Write_OverTheLimit_IsRefused(bool chunked)
    {
        await using var broker = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new ByteArrayContent(new byte[KbsProtocol.MaxResourceBytes + 1]) };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.Authorization = new("Bearer", File.ReadAllText(broker.Server.AdminTokenFile).Trim());
        try
        {
            using var response = await broker.Http.SendAsync(request, Token);
            Assert.Equal(413, (int)response.StatusCode);
        }
        catch (HttpRequestException)
        {
            // The connection may be cut while the rest is still being sent.
        }

        Assert.Equal("first", await ReadAsync(broker));
    }

    [Fact]
    public async Task Stored_SecretsAndKeys_AreNowhereInClear()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        var marker = Encoding.UTF8.GetBytes("a-secret-that-is-easy-to-find-0123456789");
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/marker"), marker, Token);
        var adminToken = Encoding.UTF8.GetBytes(File.ReadAllText(broker.Server.AdminTokenFile).Trim());
        await broker.CloseAsync();
        foreach (var file in Directory.EnumerateFiles(broker.Folder).Where(f => !f.EndsWith("admin.token", StringComparison.Ordinal)))
        {
            var content = await File.ReadAllBytesAsync(file, Token);
            Assert.Equal(-1, content.AsSpan().IndexOf(marker));
            Assert.Equal(-1, content.AsSpan().IndexOf(adminToken));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task Log_HasNoSecretsOrTokens()
    {
        await using var broker = await StartAsync();
        using (var admin = broker.Admin())
            await admin.PutResourceAsync(Secret, "hidden-value"u8.ToArray(), Token);
        var token = await broker.AttestAsync(await broker.AuthAsync());
        using (await broker.SendAsync(HttpMethod.Get, Path + "?x=1", bearer: token))
        {
        }

        var log = string.Join('\n', broker.Log);
        Assert.Contains("\"/kbs/v0/resource/team-a/key/1\"", log, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden-value", log, StringComparison.Ordinal);
        Assert.DoesNotContain(token, log, StringComparison.Ordinal);
        Assert.DoesNotContain("kist_admin_", log, StringComparison.Ordinal);
    }

    private static async Task<TestBroker> StartAsync()
    {
        var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(Secret, "first"u8.ToArray(), Token);
        return broker;
    }

    private static async Task<string> ReadAsync(TestBroker broker)
    {
        using var guest = broker.Guest();
        using var secret = await guest.GetResourceAsync(Secret.ToString(), Token);
        return Encoding.UTF8.GetString(secret.Span);
    }

    private static async Task AssertErrorAsync(Task<HttpResponseMessage> sent, int status, string code, string? variant = null)
    {
        using var response = await sent;
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var error = await TestBroker.ErrorOf(response);
        Assert.Equal((status, code), ((int)response.StatusCode, error.Code));
        if (variant is not null)
            Assert.Equal(KbsProtocol.ErrorTypePrefix + variant, error.Type);
    }
}
