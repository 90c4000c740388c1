using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// One HTTP request and its bounded answer: no redirects, no proxy, no ambient cookies, a limit on bytes and on time, and
/// every failure as a <see cref="KeyBrokerException"/>.
/// </summary>
sealed class BrokerTransport : IDisposable
{
    private const int MaxErrorBytes = 64 * 1024;

    private readonly HttpClient _client;
    private readonly TimeSpan _timeout;

    public BrokerTransport(Uri endpoint, string? certificatePem, bool allowPlainHttp, TimeSpan timeout, HttpMessageHandler? handler = null,
        Func<string, int, CancellationToken, ValueTask<Stream>>? connect = null)
    {
        if (!endpoint.IsAbsoluteUri || (endpoint.Scheme != Uri.UriSchemeHttps && !(allowPlainHttp && endpoint.Scheme == Uri.UriSchemeHttp)))
            throw new MalformedDataException("key broker address", -1, $"\"{endpoint}\" is not an https address");
        Endpoint = endpoint;
        _timeout = timeout;
        _client = new HttpClient(handler ?? CreateHandler(certificatePem, connect)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public Uri Endpoint { get; }

    public async Task<BrokerResponse> SendAsync(
        KeyBrokerStep step, HttpMethod method, string path, BrokerRequest request, int maxResponseBytes, CancellationToken cancellationToken)
    {
        // A tenant's address has a path of its own, before the protocol's.
        var uri = new Uri($"{Endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/')}{path}");
        using var message = new HttpRequestMessage(method, uri) { Version = HttpVersion.Version11 };
        if (request.Body is { } body)
        {
            message.Content = new ReadOnlyMemoryContent(body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue(request.ContentType);
        }

        if (request.Bearer is not null)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", request.Bearer);
        if (request.Session is not null)
            message.Headers.Add("Cookie", $"{KbsProtocol.SessionCookie}={request.Session}");

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_timeout);
        try
        {
            using var response = await _client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            var content = await ReadAsync(response, response.IsSuccessStatusCode ? maxResponseBytes : MaxErrorBytes, step, uri, limit.Token).ConfigureAwait(false);
            return new BrokerResponse((int)response.StatusCode, content, SessionOf(response), response.Headers.RetryAfter?.Delta);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KeyBrokerException(
                KeyBrokerStep.Connect, uri.ToString(), $"no complete answer within {_timeout.TotalSeconds:0.#} s", "is the broker running, and reachable from here?", isTransient: true, inner: e);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            throw new KeyBrokerException(
                KeyBrokerStep.Connect, uri.ToString(), "the broker's certificate is not the one that is pinned", "give the certificate that the broker printed at start", inner: e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new KeyBrokerException(
                KeyBrokerStep.Connect, uri.ToString(), e.Message, "is the broker running, and reachable from here?", isTransient: true, inner: e);
        }
    }

    /// <summary>An error answer as an exception.</summary>
    public static KeyBrokerException Refusal(KeyBrokerStep step, string subject, BrokerResponse response, string? hint)
    {
        ErrorInformation? error = null;
        try
        {
            error = KbsJson.Read<ErrorInformation>(response.Content.Span, MaxErrorBytes);
        }
        catch (MalformedDataException)
        {
            // Another server's error page: its status has to do.
        }

        var reason = $"status {response.Status}" + (error is null ? "" : $": {Printable(error.Detail)}");
        if (error?.CorrelationId is { } id)
            reason += $" (correlation id {Printable(id)})";
        return new KeyBrokerException(
            step, subject, reason, hint, response.Status is 429 or >= 500, response.Status, error?.Code, error?.CorrelationId);
    }

    public void Dispose() => _client.Dispose();

    public static SocketsHttpHandler CreateHandler(string? certificatePem, Func<string, int, CancellationToken, ValueTask<Stream>>? connect)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 64,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            SslOptions = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 },
        };
        if (connect is not null)
            handler.ConnectCallback = (context, token) => connect(context.DnsEndPoint.Host, context.DnsEndPoint.Port, token);
        if (certificatePem is not null)
        {
            var pinned = new PinnedCertificate(certificatePem);
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) => pinned.IsTrusted(certificate, errors);
        }

        return handler;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(
        HttpResponseMessage response, int limit, KeyBrokerStep step, Uri uri, CancellationToken cancellationToken)
    {
        KeyBrokerException TooLong() => new(step, uri.ToString(), $"the answer is longer than {limit} bytes");
        if (response.Content.Headers.ContentLength > limit)
            throw TooLong();
        // In one piece where the length is known, so that no copies are left behind; the answer may be a secret.
        using var buffer = new MemoryStream((int)(response.Content.Headers.ContentLength ?? 0));
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var chunk = new byte[16 * 1024];
            int read;
            while ((read = await stream.ReadAsync(chunk, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (buffer.Length + read > limit)
                    throw TooLong();
                buffer.Write(chunk, 0, read);
            }

            CryptographicOperations.ZeroMemory(chunk);
        }

        var content = buffer.ToArray();
        CryptographicOperations.ZeroMemory(buffer.GetBuffer());
        return content;
    }

    private static string? SessionOf(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Set-Cookie", out var cookies))
            return null;
        foreach (var cookie in cookies)
        {
            var pair = cookie.Split(';', 2)[0].Split('=', 2);
            if (pair.Length == 2 && pair[0].Trim() == KbsProtocol.SessionCookie && pair[1].Length <= 128 && pair[1].All(char.IsAsciiLetterOrDigit))
                return pair[1];
        }

        return null;
    }

    private static string Printable(string text) =>
        new([.. text.Take(300).Select(c => char.IsControl(c) ? ' ' : c)]);
}

/// <summary>What one request carries.</summary>
readonly record struct BrokerRequest(
    ReadOnlyMemory<byte>? Body = null, string? Bearer = null, string? Session = null, string ContentType = "application/json");

/// <summary>What came back, whatever its status.</summary>
readonly record struct BrokerResponse(int Status, ReadOnlyMemory<byte> Content, string? Session, TimeSpan? RetryAfter = null)
{
    public bool IsSuccess => Status is >= 200 and < 300;
}
