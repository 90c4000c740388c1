using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Kist.EndToEnd;

/// <summary>
/// A registry as the large public ones are: it speaks TLS under an authority of its own, its tokens come from a second host and its
/// blobs from a third, all on one port. Content is that of a real registry behind it.
/// </summary>
sealed class TlsRegistry : IAsyncDisposable
{
    public const string User = "reader", Password = "a password";

    private const string Token = "the-token";
    private readonly List<TcpListener> _listeners = [];
    private readonly List<Task> _serving = [];
    private readonly HttpClient _upstream = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate;

    public TlsRegistry(string upstream)
    {
        _upstream.BaseAddress = new Uri($"http://{upstream}");
        string[] hosts = [RegistryHost, TokenHost, BlobHost];
        (_certificate, AuthorityPem) = MakeCertificate(hosts);
        foreach (var host in hosts)
        {
            var listener = new TcpListener(IPAddress.Parse(host), Port);
            listener.Start();
            Port = ((IPEndPoint)listener.LocalEndpoint).Port;
            _listeners.Add(listener);
            _serving.Add(ServeAsync(listener, host));
        }
    }

    public static string RegistryHost => "127.0.0.2";

    public static string TokenHost => "127.0.0.3";

    public static string BlobHost => "127.0.0.4";

    public int Port { get; }

    public string Authority => string.Create(CultureInfo.InvariantCulture, $"{RegistryHost}:{Port}");

    /// <summary>The authority's certificate.</summary>
    public string AuthorityPem { get; }

    /// <summary>Requests by host, and "leak" for each that carried a credential to the host of blobs.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var listener in _listeners)
            listener.Stop();
        await Task.WhenAll(_serving);
        _upstream.Dispose();
        _certificate.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync(TcpListener listener, string host)
    {
        try
        {
            while (true)
                _ = AnswerAllAsync(await listener.AcceptTcpClientAsync(_stop.Token), host);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It ends.
        }
    }

    private async Task AnswerAllAsync(TcpClient client, string host)
    {
        using (client)
        {
            try
            {
                await using var stream = new SslStream(client.GetStream());
                await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
                {
                    var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                    while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } header)
                        headers[header[..header.IndexOf(':', StringComparison.Ordinal)]] = header[(header.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
                    Requests.Enqueue(host);
                    await AnswerAsync(stream, host, line.Split(' '), headers);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
            {
                // The client is gone.
            }
        }
    }

    private async Task AnswerAsync(Stream stream, string host, string[] request, Dictionary<string, string> headers)
    {
        var (method, path, authorization) = (request[0], request[1], headers.GetValueOrDefault("Authorization"));
        if (host == TokenHost)
        {
            var isRight = authorization == $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"))}";
            await WriteAsync(stream, isRight ? "200 OK" : "401 Unauthorized", "application/json", isRight ? Encoding.ASCII.GetBytes($$"""{"token":"{{Token}}"}""") : []);
            return;
        }

        if (host == RegistryHost && authorization != $"Bearer {Token}")
        {
            await WriteAsync(stream, $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"https://{TokenHost}:{Port}/token\",service=\"e2e\"", "text/plain", []);
            return;
        }

        if (host == RegistryHost && path.Contains("/blobs/", StringComparison.Ordinal))
        {
            await WriteAsync(stream, $"307 Temporary Redirect\r\nLocation: https://{BlobHost}:{Port}{path}", "text/plain", []);
            return;
        }

        if (host == BlobHost && authorization is not null)
            Requests.Enqueue("leak");
        using var forwarded = new HttpRequestMessage(new HttpMethod(method), path);
        foreach (var name in (string[])["Accept", "Range"])
        {
            if (headers.TryGetValue(name, out var value))
                forwarded.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _upstream.SendAsync(forwarded, _stop.Token);
        var status = $"{(int)response.StatusCode} X";
        foreach (var name in (string[])["Docker-Content-Digest", "Content-Range"])
        {
            if (response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values))
                status += $"\r\n{name}: {values.First()}";
        }

        var body = await response.Content.ReadAsByteArrayAsync(_stop.Token);
        await WriteAsync(stream, status, response.Content.Headers.ContentType?.ToString() ?? "text/plain", body, method == "HEAD" ? response.Content.Headers.ContentLength : body.Length);
    }

    private async Task WriteAsync(Stream stream, string status, string type, byte[] body, long? length = null)
    {
        var bytes = (length ?? body.Length).ToString(CultureInfo.InvariantCulture);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {bytes}\r\n\r\n"), _stop.Token);
        await stream.WriteAsync(body, _stop.Token);
    }

    private static (X509Certificate2 Server, string AuthorityPem) MakeCertificate(string[] hosts)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=e2e authority", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=e2e registry", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
            names.AddIpAddress(IPAddress.Parse(host));
        server.CertificateExtensions.Add(names.Build());
        using var certificate = server.Create(authority, now.AddDays(-1), now.AddDays(30), RandomNumberGenerator.GetBytes(8));
        using var withKey = certificate.CopyWithPrivateKey(key);
        return (X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null), authority.ExportCertificatePem());
    }
}
