using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

/// <summary>What a peer cannot do to the broker by asking too often, too much or too slowly.</summary>
public sealed class LimitTests
{
    // A slow machine is given a request a second meanwhile.
    private const int MaxRequests = 500;

    private const string AuthBody = """{"version":"0.4.0","tee":"sample","extra-params":""}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Auth_TooOften_Is429()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { UnauthenticatedRequestsPerSecond = 1, UnauthenticatedBurst = 5 });
        var statuses = new List<int>();
        for (var i = 0; i < MaxRequests && !statuses.Contains(429); i++)
        {
            using var response = await broker.PostAsync("/kbs/v0/auth", AuthBody);
            statuses.Add((int)response.StatusCode);
            if (response.StatusCode == System.Net.HttpStatusCode.TooManyRequests)
                Assert.Equal("1", response.Headers.GetValues("Retry-After").Single());
        }

        Assert.Equal(200, statuses[0]);
        Assert.Contains(429, statuses);
    }

    [Fact]
    public async Task Guests_MoreThanTheLimit_AllGetTheirSecretInTurn()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { UnauthenticatedRequestsPerSecond = 40, UnauthenticatedBurst = 10 });
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ =>
        {
            using var guest = broker.Guest();
            using var secret = await guest.GetResourceAsync("a/b/c", Token);
            Assert.Equal((byte)'s', Assert.Single(secret.Span.ToArray()));
        }));
        using var metrics = await broker.SendAsync(HttpMethod.Get, "/metrics");
        Assert.Contains("kist_broker_errors_total{code=\"rate.limited\"}", await metrics.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_OverAndOver_Are429AndNotAudited()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { UnauthenticatedRequestsPerSecond = 1, UnauthenticatedBurst = 5 });
        var statuses = new List<int>();
        for (var i = 0; i < MaxRequests && !statuses.Contains(429); i++)
        {
            using var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: "x");
            statuses.Add((int)response.StatusCode);
        }

        Assert.Equal(401, statuses[0]);
        Assert.Contains(429, statuses);
        await broker.CloseAsync();
        await broker.OpenAsync();
        using var admin = broker.Admin();
        Assert.Equal(0, (await admin.GetAuditHeadAsync(Token)).Size);
    }

    [Fact]
    public async Task Auth_TooManyOpenHandshakes_Is503UntilTheyExpire()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { MaxOpenSessions = 3 });
        for (var i = 0; i < 3; i++)
            await broker.AuthAsync();
        using (var full = await broker.PostAsync("/kbs/v0/auth", AuthBody))
            Assert.Equal((503, "broker.busy"), ((int)full.StatusCode, (await TestBroker.ErrorOf(full)).Code));
        broker.Time.Advance(TimeSpan.FromMinutes(5));
        await broker.AuthAsync();
    }

    [Theory]
    [InlineData("/kbs/v0/auth", KbsProtocol.MaxAuthBytes)]
    [InlineData("/kbs/v0/attest", KbsProtocol.MaxAttestBytes)]
    public async Task Body_OverTheRoutesLimit_Is413(string path, int limit)
    {
        await using var broker = await TestBroker.StartAsync();
        var handshake = await broker.AuthAsync();
        try
        {
            using var response = await broker.SendAsync(HttpMethod.Post, path, new byte[limit + 1], handshake.Session);
            Assert.Equal((413, "request.too_large"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
        }
        catch (HttpRequestException)
        {
            // The connection may be cut while the rest is still being sent.
        }
    }

    [Fact]
    public async Task Attest_LargeEvidence_IsRead()
    {
        await using var broker = await TestBroker.StartAsync();
        var handshake = await broker.AuthAsync();
        var body = handshake.AttestBody().Replace("\"svn\"", $"\"padding\": \"{new string('x', 7_000_000)}\", \"svn\"", StringComparison.Ordinal);
        using var response = await broker.PostAsync("/kbs/v0/attest", body, handshake.Session);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task Read_TokenOf500KiB_ReachesTheHandler()
    {
        await using var broker = await TestBroker.StartAsync();
        using var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: new string('a', 500 * 1024));
        Assert.Equal("token.invalid", (await TestBroker.ErrorOf(response)).Code);
    }

    [Fact]
    public async Task Body_ThatNeverArrives_EndsInTime()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { RequestTimeout = TimeSpan.FromSeconds(1) });
        using var stream = await ConnectAsync(broker);
        await stream.WriteAsync("POST /kbs/v0/auth HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"ver"u8.ToArray(), Token);
        Assert.StartsWith("HTTP/1.1 408 ", await ReadAllAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_ThatNeverArrives_EndsInTime()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { RequestTimeout = TimeSpan.FromSeconds(1) });
        using var stream = await ConnectAsync(broker);
        await stream.WriteAsync("POST /kbs/v0/auth HTTP/1.1\r\nHost: loc"u8.ToArray(), Token);
        Assert.StartsWith("HTTP/1.1 408 ", await ReadAllAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tls_OlderThan13_IsRefused()
    {
        await using var broker = await TestBroker.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(broker.Server.Endpoint.Host, broker.Server.Endpoint.Port, Token);
        await using var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = SslProtocols.Tls12 }, Token));
    }

    [Fact]
    public async Task Metrics_AndHealth_AreServedWithBoundedLabels()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.AuthAsync();
        for (var i = 0; i < 20; i++)
        {
            using var unknown = await broker.SendAsync(HttpMethod.Get, $"/kbs/v0/resource/a/b/{i}");
        }

        foreach (var path in new[] { "/healthz", "/livez", "/readyz" })
        {
            using var response = await broker.SendAsync(HttpMethod.Get, path);
            Assert.Equal(200, (int)response.StatusCode);
        }

        using var metrics = await broker.SendAsync(HttpMethod.Get, "/metrics");
        var text = await metrics.Content.ReadAsStringAsync(Token);
        Assert.Contains("kist_broker_requests_total{route=\"/kbs/v0/auth\",status=\"200\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kist_broker_requests_total{route=\"/kbs/v0/resource\",status=\"401\"} 20\n", text, StringComparison.Ordinal);
        Assert.Contains("kist_broker_errors_total{code=\"token.missing\"} 20\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("a/b/", text, StringComparison.Ordinal);
    }

    private static async Task<SslStream> ConnectAsync(TestBroker broker)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(broker.Server.Endpoint.Host, broker.Server.Endpoint.Port, Token);
        var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, Token);
        return tls;
    }

    private static async Task<string> ReadAllAsync(SslStream stream)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        using var text = new MemoryStream();
        try
        {
            await stream.CopyToAsync(text, limit.Token);
        }
        catch (IOException)
        {
            // Reset instead of closed.
        }

        return Encoding.ASCII.GetString(text.ToArray());
    }
}
