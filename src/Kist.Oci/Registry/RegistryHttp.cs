using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// Sends requests to one registry: adds credentials, answers challenges, follows redirects that <see cref="HostRules"/>
/// allow (never with credentials to another host), waits and tries again what may succeed later.
/// </summary>
sealed class RegistryHttp : IDisposable
{
    private const int MaxErrorBodyBytes = 64 * 1024;
    private const int MaxRedirects = 5;

    private readonly RegistryOptions _options;
    private readonly HttpMessageInvoker _http;
    private readonly RegistryAuthenticator _authenticator;

    public RegistryHttp(string registry, bool isInsecure, RegistryOptions options)
    {
        _options = options;
        RegistryName = registry;
        var host = registry == "docker.io" ? "registry-1.docker.io" : registry;
        var scheme = options.PlainHttp ?? (isInsecure || HostRules.IsLoopback(registry) && options.CertificateAuthorities.Count == 0) ? "http" : "https";
        Base = new Uri($"{scheme}://{host}/");
        _http = new HttpMessageInvoker(CreateHandler(options));
        _authenticator = new RegistryAuthenticator(Base, registry, options, _http);
    }

    public Uri Base { get; }

    public string RegistryName { get; }

    public RegistryOptions Options => _options;

    /// <summary>Sends a request and returns the answer, whatever its status; only the head has been read.</summary>
    /// <param name="step">What is being done, for messages.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="actions">"pull" or "pull,push".</param>
    /// <param name="create">Makes the request; called for every try.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<HttpResponseMessage> SendAsync(
        string step, string repository, string actions, Func<HttpRequestMessage> create, CancellationToken cancellationToken)
    {
        var scope = $"repository:{repository}:{actions}";
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan? retryAfter = null;
            try
            {
                var response = await SendAuthorizedAsync(repository, scope, create, cancellationToken).ConfigureAwait(false);
                if (!IsTransient(response.StatusCode) || attempt >= _options.MaxAttempts)
                    return response;
                retryAfter = RetryAfter(response);
                response.Dispose();
            }
            catch (Exception e) when (IsTransient(e, cancellationToken))
            {
                if (attempt >= _options.MaxAttempts)
                    throw Unreachable(step, e);
            }

            await DelayAsync(attempt, retryAfter, cancellationToken).ConfigureAwait(false);
        }
    }

    // Seconds, or a date (RFC 9110, section 10.2.3).
    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date - _options.Time.GetUtcNow() is var wait && wait > TimeSpan.Zero => wait,
        _ => null,
    };

    /// <summary>Waits before another try: half a second, doubled each time, or what the registry asked for, within the limit.</summary>
    public Task DelayAsync(int attempt, TimeSpan? asked, CancellationToken cancellationToken)
    {
        var delay = asked ?? TimeSpan.FromSeconds(0.25 * Math.Pow(2, Math.Min(attempt, 10)));
        return Task.Delay(delay < _options.MaxRetryDelay ? delay : _options.MaxRetryDelay, _options.Time, cancellationToken);
    }

    /// <summary>The exception for an answer that is an error; reads as much of its body as helps.</summary>
    public async Task<RegistryException> ErrorAsync(string step, string subject, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var reason = $"the registry answered {(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd();
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(_options.StallTimeout);
            var body = await BoundedBody.ReadAsync(response.Content, MaxErrorBodyBytes, timeout.Token).ConfigureAwait(false);
            if (OciJson.Parse(body, OciJson.Context.RegistryErrorBody, "error").Errors is [{ } first, ..])
                reason += $" ({Printable(first.Code)}: {Printable(first.Message)})";
        }
        catch (Exception e) when (e is FormatException or IOException or HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return new RegistryException(step, subject, reason, response.StatusCode, HintFor(response.StatusCode), IsTransient(response.StatusCode));
    }

    public RegistryException Unreachable(string step, Exception e) => new(
        step, Base.Authority, e is OperationCanceledException ? "no answer within the time limit" : Deepest(e),
        hint: "check that the registry is running and that its address is right", isTransient: true, inner: e);

    public static bool IsTransient(Exception e, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested
        && (e is IOException or OperationCanceledException
            || e is HttpRequestException { HttpRequestError: not (HttpRequestError.SecureConnectionError or HttpRequestError.ConfigurationLimitExceeded) });

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAuthorizedAsync(
        string repository, string scope, Func<HttpRequestMessage> create, CancellationToken cancellationToken)
    {
        var header = _authenticator.Find(scope);
        var response = await FollowAsync(create, header, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.Unauthorized)
            return response;
        header = await _authenticator.AnswerAsync(response.Headers.WwwAuthenticate, repository, scope, cancellationToken).ConfigureAwait(false);
        if (header is null)
            return response;
        response.Dispose();
        return await FollowAsync(create, header, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> FollowAsync(
        Func<HttpRequestMessage> create, AuthenticationHeaderValue? header, CancellationToken cancellationToken)
    {
        Uri? redirected = null;
        for (var hops = 0; hops <= MaxRedirects; hops++)
        {
            using var request = create();
            if (redirected is not null)
                request.RequestUri = redirected;
            var target = request.RequestUri!;
            if (HostRules.Same(Base, target))
                request.Headers.Authorization = header;
            var response = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
            var location = response.Headers.Location;
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || location is null)
                return response;
            response.Dispose();
            redirected = new Uri(target, location);
            if (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head && !HostRules.Same(Base, redirected))
                throw Refused(redirected, "an upload must not be redirected to another host");
            if (!HostRules.Allows(Base, redirected, _options.TrustedHosts))
                throw Refused(redirected, $"the registry {RegistryName} redirects to a host that is not trusted for it");
        }

        throw new RegistryException("follow redirect", RegistryName, $"more than {MaxRedirects} redirects");
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // A body of an upload may go as slowly as 64 KiB a second.
        var body = request.Content?.Headers.ContentLength ?? 0;
        timeout.CancelAfter(_options.ResponseTimeout + TimeSpan.FromSeconds(body / 65536.0));
        return await _http.SendAsync(request, timeout.Token).ConfigureAwait(false);
    }

    private static SocketsHttpHandler CreateHandler(RegistryOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ConnectTimeout,
            MaxResponseHeadersLength = 64,
            MaxConnectionsPerServer = 8,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            UseProxy = options.Proxy is not null,
            Proxy = options.Proxy,
        };
        if (options.CertificateAuthorities.Count > 0)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            foreach (var authority in options.CertificateAuthorities)
                policy.CustomTrustStore.Add(authority);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        if (options.Connect is { } connect)
            handler.ConnectCallback = (context, token) => connect(context.DnsEndPoint.Host, context.DnsEndPoint.Port, token);

        return handler;
    }

    private static RegistryException Refused(Uri target, string reason) =>
        new("follow redirect", target.Authority, reason, hint: $"if that is right, add {target.Host} to the trusted hosts");

    private static bool IsTransient(HttpStatusCode status) => (int)status is 408 or 429 or 500 or 502 or 503 or 504;

    private static string? HintFor(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "log in, or check that the account may use this repository",
        HttpStatusCode.NotFound => "check the name and tag",
        HttpStatusCode.TooManyRequests => "the registry limits how often it may be asked: wait, or log in",
        _ => null,
    };

    private static string Deepest(Exception e) => (e.InnerException ?? e).Message.TrimEnd('.');

    // The registry's words go to a terminal: no control characters, and not too many.
    private static string Printable(string? text) => new((text ?? "").Where(c => !char.IsControl(c)).Take(300).ToArray());
}
