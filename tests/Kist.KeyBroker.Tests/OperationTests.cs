using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Telemetry;

namespace Kist.KeyBroker.Tests;

/// <summary>What who runs a broker relies on: certificates, traces, logs, shutdown, status.</summary>
public sealed class OperationTests
{
    private const string Secret = "the-secret-that-is-nowhere";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Certificate_Replaced_ServesTheNextConnection()
    {
        await using var broker = await TestBroker.StartAsync();
        var before = broker.Server.CertificatePem;
        Assert.Equal(before, await ServedAsync(broker));
        await using var open = await ConnectAsync(broker);

        WriteCertificate(broker.Folder, "CN=an operator's", broker.Time.GetUtcNow().AddDays(10));
        broker.Time.Advance(TimeSpan.FromSeconds(11));
        var after = await ServedAsync(broker);
        Assert.NotEqual(before, after);
        Assert.Equal(after, broker.Server.CertificatePem);

        // The connection of before goes on.
        await open.WriteAsync("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Token);
        var answer = new byte[100];
        await open.ReadAtLeastAsync(answer, 12, cancellationToken: Token);
        Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(answer), StringComparison.Ordinal);
        // An operator's certificate is not replaced by one of the broker's own when its end is near.
        broker.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(after, await ServedAsync(broker));
    }

    [Fact]
    public async Task Certificate_HalfWritten_LeavesTheOneOfBefore()
    {
        await using var broker = await TestBroker.StartAsync();
        var before = await ServedAsync(broker);
        await File.WriteAllTextAsync(Path.Combine(broker.Folder, "tls.crt"), before[..200], Token);
        broker.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(before, await ServedAsync(broker));
        lock (broker.Log)
            Assert.Contains(broker.Log, l => l.Contains("tls.certificate.failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Certificate_OfTheBrokersOwn_IsRenewedBeforeItEnds()
    {
        await using var broker = await TestBroker.StartAsync();
        var before = await ServedAsync(broker);
        broker.Time.AdjustTime(broker.Time.GetUtcNow().AddDays(800));
        broker.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.NotEqual(before, await ServedAsync(broker));
    }

    [Fact]
    public async Task Traces_AHandshake_HasASpanForEachStepAndCheck()
    {
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == BrokerTracing.SourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var trace = ActivityTraceId.CreateRandom();
        await using var broker = await TestBroker.StartAsync();
        var handshake = await broker.AuthAsync();
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/kbs/v0/attest"))
        {
            request.Content = new StringContent(handshake.AttestBody());
            request.Headers.Add("Cookie", $"kbs-session-id={handshake.Session}");
            request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
            using var response = await broker.Http.SendAsync(request, Token);
            Assert.Equal(200, (int)response.StatusCode);
        }

        // The span ends after the answer was sent.
        var deadline = Stopwatch.StartNew();
        while (spans.All(s => s.TraceId != trace || s.Kind != ActivityKind.Server) && deadline.Elapsed < TimeSpan.FromSeconds(10))
            await Task.Delay(20, Token);
        var mine = spans.Where(s => s.TraceId == trace).ToList();
        var root = Assert.Single(mine, s => s.Kind == ActivityKind.Server);
        Assert.Equal("POST /kbs/v0/attest", root.DisplayName);
        Assert.Equal("200", root.GetTagItem("http.response.status_code")!.ToString());
        foreach (var step in new[] { "verify", "appraise", "issue token", "audit" })
            Assert.Equal(root.SpanId, Assert.Single(mine, s => s.DisplayName == step).ParentSpanId);
        var verify = mine.Single(s => s.DisplayName == "verify");
        Assert.Equal(verify.SpanId, Assert.Single(mine, s => s.DisplayName == "sample.report_data").ParentSpanId);
        var said = string.Join('\n', mine.SelectMany(s => s.TagObjects).Select(t => $"{t.Key}={t.Value}"));
        Assert.DoesNotContain(handshake.Nonce, said, StringComparison.Ordinal);
        Assert.DoesNotContain(handshake.Session, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_OfEverythingThatCarriesSecrets_HoldsNone()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), Encoding.UTF8.GetBytes(Secret), Token);
        var handshake = await broker.AuthAsync();
        var token = await broker.AttestAsync(handshake);
        using (var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c?password=hidden-in-query", bearer: token))
            Assert.Equal(200, (int)response.StatusCode);
        using (await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: token[..^4] + "AAAA"))
        using (await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session))
        using (await broker.PostAsync("/kbs/v0/auth", "{ broken"))
        {
            // Errors are logged as well.
        }

        var created = (await admin.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "n", Roles = "auditor" }, Token)).Token!;
        var adminToken = (await File.ReadAllTextAsync(broker.Server.AdminTokenFile, Token)).Trim();
        await broker.CloseAsync();
        string log;
        lock (broker.Log)
            log = string.Join('\n', broker.Log);
        Assert.All(broker.Log, line => JsonDocument.Parse(line).Dispose());
        Assert.Contains("\"/kbs/v0/resource/a/b/c\"", log, StringComparison.Ordinal);
        foreach (var secret in new[]
        {
            Secret, Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)), adminToken, adminToken[^20..], created, token, token.Split('.')[1][..40],
            handshake.Session, handshake.Nonce, "hidden-in-query",
        })
        {
            Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Stop_LetsRequestsEnd_AndTakesNoNewOnes()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var open = await ConnectAsync(broker);
        const string body = """{"version":"0.4.0","tee":"sample","extra-params":""}""";
        await open.WriteAsync(Encoding.ASCII.GetBytes($"POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n\r\n{body[..10]}"), Token);
        // It is being answered once it counts as active.
        while (!(await (await broker.SendAsync(HttpMethod.Get, "/metrics")).Content.ReadAsStringAsync(Token)).Contains("active_requests 2", StringComparison.Ordinal))
            await Task.Delay(20, Token);
        var stopping = broker.CloseAsync();
        await Task.Delay(200, Token);
        await Assert.ThrowsAnyAsync<SocketException>(async () => (await ConnectAsync(broker)).Dispose());
        await open.WriteAsync(Encoding.ASCII.GetBytes(body[10..]), Token);
        var answer = new byte[2000];
        await open.ReadAtLeastAsync(answer, 12, cancellationToken: Token);
        Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(answer), StringComparison.Ordinal);
        await stopping;
    }

    [Fact]
    public async Task Status_SaysWhatRuns_ToAdministratorsOnly()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { RequireTwoPersons = true });
        using (var anonymous = await broker.SendAsync(HttpMethod.Get, "/kist/v1/status"))
            Assert.Equal(401, (int)anonymous.StatusCode);
        using var response = await broker.SendAsync(HttpMethod.Get, "/kist/v1/status", bearer: (await File.ReadAllTextAsync(broker.Server.AdminTokenFile, Token)).Trim());
        var status = KbsJson.Read<BrokerStatus>(await response.Content.ReadAsByteArrayAsync(Token), 65536);
        Assert.Equal(("sqlite", true, false, true, "administrator"), (status.Database, status.AllowSimulated, status.AllowDebug, status.TwoPerson, status.Roles));
        Assert.StartsWith("OpenSSL ", status.TlsLibrary, StringComparison.Ordinal);
        Assert.Equal(MLKem.IsSupported, status.TlsHybridMlKem);
        using var certificate = X509Certificate2.CreateFromPem(broker.Server.CertificatePem);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), status.CertificateSha256);
    }

    [Fact]
    public async Task Explain_AnyEvidence_IsJudgedAndTakenApart()
    {
        await using var broker = await TestBroker.StartAsync();
        var token = (await File.ReadAllTextAsync(broker.Server.AdminTokenFile, Token)).Trim();
        using (var anonymous = await broker.SendAsync(HttpMethod.Post, "/kist/v1/explain", [1]))
            Assert.Equal(401, (int)anonymous.StatusCode);
        using (var nonsense = await broker.SendAsync(HttpMethod.Post, "/kist/v1/explain", "nonsense"u8.ToArray(), bearer: token))
            Assert.Equal((400, "request.malformed"), ((int)nonsense.StatusCode, (await TestBroker.ErrorOf(nonsense)).Code));
        using (var certificate = await broker.SendAsync(HttpMethod.Post, "/kist/v1/explain", Encoding.ASCII.GetBytes(broker.Server.CertificatePem), bearer: token))
        using (var fields = JsonDocument.Parse(await certificate.Content.ReadAsByteArrayAsync(Token)))
        {
            Assert.Equal("certificates", fields.RootElement.GetProperty("kind").GetString());
            Assert.False(fields.RootElement.TryGetProperty("verdict", out _));
        }

        var quote = new Kist.Simulator.SimulatedTdxPlatform(Kist.Simulator.SimulatedVendor.FromSeed(new byte[32])).Launch(SimulatedTdxTests.Launch).Quote(new byte[64]);
        using var response = await broker.SendAsync(HttpMethod.Post, "/kist/v1/explain", quote, bearer: token);
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(Token));
        Assert.Equal("tdx", document.RootElement.GetProperty("kind").GetString());
        Assert.False(document.RootElement.GetProperty("verdict").GetProperty("accepted").GetBoolean());
        Assert.Contains(document.RootElement.GetProperty("fields").EnumerateArray(), f => f.GetProperty("path").GetString()!.Contains("mr_td", StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<SslStream> ConnectAsync(TestBroker broker)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(broker.Server.Endpoint.Host, broker.Server.Endpoint.Port, Token);
        var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, Token);
        return tls;
    }

    private static async Task<string> ServedAsync(TestBroker broker)
    {
        await using var tls = await ConnectAsync(broker);
        return new X509Certificate2(tls.RemoteCertificate!).ExportCertificatePem() + "\n";
    }

    private static void WriteCertificate(string folder, string subject, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(until.AddDays(-30), until);
        File.WriteAllText(Path.Combine(folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, "tls.crt"), certificate.ExportCertificatePem());
    }
}
