using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Kist.Formats.Jose;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace Kist.KeyBroker.Tests;

/// <summary>A broker of its own for one test: real sockets, TLS and SQLite in a temporary folder, and a clock that is set.</summary>
sealed class TestBroker : IAsyncDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("kist-broker-").FullName;
    private KeyBrokerServer? _server;
    private HttpClient? _http;

    public FakeTimeProvider Time { get; } = new(Start);

    public KeyBrokerServer Server => _server!;

    /// <summary>A raw HTTP client: no cookies of its own, and this broker's certificate only.</summary>
    public HttpClient Http => _http!;

    public string Folder => Path.Combine(_folder, "state");

    public List<string> Log { get; } = [];

    public static async Task<TestBroker> StartAsync(Func<KeyBrokerOptions, KeyBrokerOptions>? configure = null, IPolicyEngine? engine = null)
    {
        var broker = new TestBroker();
        await broker.OpenAsync(configure, engine);
        return broker;
    }

    public async Task OpenAsync(Func<KeyBrokerOptions, KeyBrokerOptions>? configure = null, IPolicyEngine? engine = null)
    {
        var options = new KeyBrokerOptions
        {
            StateDirectory = Folder,
            AllowSimulated = true,
            Time = Time,
            Log = line =>
            {
                lock (Log)
                    Log.Add(line);
            },
        };
        options = configure?.Invoke(options) ?? options;
        _server = engine is null
            ? await KeyBrokerServer.StartAsync(options, CancellationToken.None)
            : await KeyBrokerServer.StartAsync(options, engine, CancellationToken.None);
        using var expected = X509Certificate2.CreateFromPem(_server.CertificatePem);
        var pinned = expected.RawData;
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, c, _, _) => c is not null && c.GetRawCertData().AsSpan().SequenceEqual(pinned) },
        })
        {
            BaseAddress = _server.Endpoint,
        };
    }

    public async Task CloseAsync()
    {
        _http?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    public KeyBrokerAdminClient Admin(string? token = null) =>
        new(Server.Endpoint, Server.CertificatePem, token ?? File.ReadAllText(Server.AdminTokenFile));

    public KeyBrokerClient Guest(IGuestEvidenceSource? source = null) =>
        new(new KeyBrokerClientOptions { Endpoint = Server.Endpoint, CertificatePem = Server.CertificatePem }, source ?? new SampleTee());

    public Task<HttpResponseMessage> PostAsync(string path, string json, string? cookie = null, string? bearer = null) =>
        SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(json), cookie, bearer);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[]? body = null, string? cookie = null, string? bearer = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        if (cookie is not null)
            request.Headers.Add("Cookie", $"kbs-session-id={cookie}");
        if (bearer is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>POST /auth by hand.</summary>
    public async Task<Handshake> AuthAsync(string tee = "sample")
    {
        using var response = await PostAsync("/kbs/v0/auth", $$"""{"version":"0.4.0","tee":"{{tee}}","extra-params":""}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var cookie = response.Headers.GetValues("Set-Cookie").Single();
        using var body = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        return new Handshake(cookie.Split(';')[0].Split('=')[1], body.RootElement.GetProperty("nonce").GetString()!, cookie);
    }

    /// <summary>A complete handshake by hand; the token.</summary>
    public async Task<string> AttestAsync(Handshake handshake)
    {
        using var response = await PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        using var body = JsonDocument.Parse(text);
        return body.RootElement.GetProperty("token").GetString()!;
    }

    public static async Task<ErrorInformation> ErrorOf(HttpResponseMessage response) =>
        KbsJson.Read<ErrorInformation>(await response.Content.ReadAsByteArrayAsync(), 65536);

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>The guest's side of one handshake, made by hand.</summary>
sealed class Handshake(string session, string nonce, string setCookie)
{
    public string Session { get; } = session;

    public string Nonce { get; } = nonce;

    public string SetCookie { get; } = setCookie;

    public ECDiffieHellman Key { get; } = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    public string AttestBody(string? nonce = null, byte[]? reportData = null, string? publicKey = null, string initData = "null", string additional = "")
    {
        publicKey ??= EcJsonWebKey.FromPublicKey(Key, "ECDH-ES+A256KW").ToString();
        reportData ??= ReportData.ForTee(Nonce, JsonWebKey.Parse(Encoding.UTF8.GetBytes(publicKey)), additional, HashAlgorithmName.SHA384);
        return $$"""
            {
              "init-data": {{initData}},
              "runtime-data": { "nonce": "{{nonce ?? Nonce}}", "tee-pubkey": {{publicKey}} },
              "tee-evidence": {
                "primary_evidence": { "svn": "1", "report_data": "{{Convert.ToBase64String(reportData)}}" },
                "additional_evidence": {{JsonSerializer.Serialize(additional)}}
              }
            }
            """;
    }
}

/// <summary>The protocol's sample TEE.</summary>
sealed class SampleTee : IGuestEvidenceSource
{
    public string Tee => "sample";

    public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken) =>
        Task.FromResult<ReadOnlyMemory<byte>>(JsonSerializer.SerializeToUtf8Bytes(new { svn = "1", report_data = Convert.ToBase64String(reportData.Span) }));
}

/// <summary>Affirms what meets a reference set, and releases what is affirmed: the default policies without their language.</summary>
sealed class PlainPolicyEngine : IPolicyEngine
{
    public void Check(string name, string text)
    {
    }

    public PolicyAnswer Evaluate(
        string name, string text, string query, JsonElement input, JsonElement data, IReferenceLookup? references, CancellationToken cancellationToken)
    {
        var value = query switch
        {
            "data.policy.trust_claims" => references!.MatchingSets("sample", input.GetProperty("sample")).IsEmpty
                ? """{"executables":33,"hardware":2,"configuration":36}"""
                : """{"executables":3,"hardware":2,"configuration":2}""",
            "data.policy.allow" => input.GetProperty("submods").GetProperty("cpu0").GetProperty("ear.status").GetString() == "affirming" ? "true" : "false",
            _ => null,
        };
        return new PolicyAnswer(value is null ? null : JsonDocument.Parse(value).RootElement.Clone(), new(() => ["traced"]));
    }
}
