using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Routes;
using Kist.KeyBroker.Telemetry;
using Kist.KeyBroker.Tenants;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Kist.KeyBroker.Hosting;

/// <summary>From a request to its answer: routing, limits, errors, log.</summary>
sealed class BrokerApplication(BrokerServices services, ServerCertificate certificate) : IDisposable
{
    private readonly PeerLimiter _limiter = new(services.Options.UnauthenticatedRequestsPerSecond, services.Options.UnauthenticatedBurst);
    private readonly RouteSet _routes = new(services, certificate);
    private readonly SignInRoutes _signIn = new(services);
    private readonly ConcurrentDictionary<string, RouteSet> _tenants = new(StringComparer.Ordinal);
    private readonly BrokerMetrics _metrics = new();

    /// <summary>Path below which tenants' routes lie: the same as at the root, after the tenant's name.</summary>
    public const string TenantsPath = "/tenants";

    internal static readonly string[] RouteNames =
    [
        "/kbs/v0/auth", "/kbs/v0/attest", "/kbs/v0/resource", "/kbs/v0/attestation-policy", "/kbs/v0/resource-policy", "/kbs/v0/reference-value",
        "/kist/v1/policies", "/kist/v1/reference-sets", "/kist/v1/reference-values", "/kist/v1/resources", "/kist/v1/resource-terms", "/kist/v1/revocations", "/kist/v1/proposals", "/kist/v1/admin-tokens", "/kist/v1/audit", "/kist/v1/status", "/kist/v1/explain", "/kist/v1/master-key", "/kist/v1/reference-imports", "/kist/v1/tenants", "/kist/v1/ra-tls",
        "/healthz", "/livez", "/readyz", "/metrics", "/openapi.json", "/.well-known/jwks.json",
    ];

    private static readonly Lazy<byte[]> OpenApi = new(() =>
    {
        using var document = typeof(BrokerApplication).Assembly.GetManifestResourceStream("openapi.json")!;
        using var copy = new MemoryStream();
        document.CopyTo(copy);
        return copy.ToArray();
    });

    public void Dispose() => _limiter.Dispose();

    /// <summary>Answers one request, whatever happens.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        _metrics.Begin();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        limit.CancelAfter(services.Options.RequestTimeout);
        var context = new BrokerContext(http, services.Options.Time, services.Administrators, limit.Token);
        var route = RouteName(http.Request.Path.Value);
        using var span = BrokerTracing.StartRequest(context.Method, route, http.Request.Headers["traceparent"]);
        var reply = await AnswerAsync(context).ConfigureAwait(false);
        var elapsed = Stopwatch.GetElapsedTime(started);
        _metrics.End(route, reply.Status, context.Code, elapsed);
        Describe(span, context, route, reply.Status);
        if (http.RequestAborted.IsCancellationRequested)
            return;
        var response = http.Response;
        response.StatusCode = reply.Status;
        response.Headers["X-Correlation-Id"] = context.Correlation;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        response.ContentType = reply.ContentType;
        response.ContentLength = reply.Body.Length;
        try
        {
            await response.Body.WriteAsync(reply.Body, http.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            if (reply.IsSecret)
                CryptographicOperations.ZeroMemory(MemoryMarshal.AsMemory(reply.Body).Span);
        }

        Log(context, reply.Status, elapsed);
    }

    private static void Describe(Activity? span, BrokerContext context, string route, int status)
    {
        if (span is null)
            return;
        span.SetTag("http.request.method", context.Method).SetTag("http.route", route).SetTag("http.response.status_code", status);
        span.SetTag("kist.correlation", context.Correlation).SetTag("error.type", context.Code);
        if (status >= 500)
            span.SetStatus(ActivityStatusCode.Error);
    }

    private async Task<Reply> AnswerAsync(BrokerContext context)
    {
        try
        {
            return await RouteAsync(context).ConfigureAwait(false);
        }
        catch (BrokerRefusal refusal)
        {
            // Whoever is refused over and over is slowed down, whatever the route, and cannot fill the logs.
            if (refusal.Error.Status is 401 or 403)
                _limiter.TryAcquire(context.Http.Connection.RemoteIpAddress);
            if (refusal.Error == BrokerError.AdminForbidden)
                services.Audit.Append(AdminRecord.Allowed(context, "admin", context.Http.Request.Path) with { Outcome = "denied", Code = refusal.Error.Code, Detail = refusal.OperatorDetail });
            return Error(context, refusal.Error);
        }
        catch (OperationCanceledException)
        {
            return Error(context, BrokerError.TooSlow);
        }
        catch (BadHttpRequestException e)
        {
            return Error(context, e.StatusCode == 413 ? BrokerError.TooLarge : e.StatusCode == 408 ? BrokerError.TooSlow : BrokerError.Malformed);
        }
        catch (Exception e)
        {
            // What the world outside or a defect of ours ended. The cause may name files and keys: it stays here.
            var error = e is OperationFailedException { IsTransient: true } ? BrokerError.Unavailable : BrokerError.Internal;
            services.Options.Log?.Invoke(LogLine(context, error.Status, TimeSpan.Zero, e.Message));
            return Error(context, error);
        }
    }

    private Task<Reply> RouteAsync(BrokerContext context)
    {
        var path = context.Http.Request.Path.Value ?? "";
        if (TryBelow(path, TenantsPath, out var below) && Split(below) is var (tenant, rest))
            return Protocol(context, TenantRoutes(context, tenant), $"/{rest}") ?? throw new BrokerRefusal(BrokerError.PathUnknown);
        if (Protocol(context, _routes, path) is { } answer)
            return answer;
        if (RaTlsChannel.Of(context.Http) is not null)
            throw new BrokerRefusal(BrokerError.PathUnknown);
        if (TryBelow(path, "/console", out var file))
            return Task.FromResult(Console(context, file));
        return path switch
        {
            "/healthz" or "/livez" => Only("GET", context, () => Task.FromResult(Reply.Empty)),
            "/readyz" => Only("GET", context, () => Task.FromResult(Ready())),
            "/metrics" => Only("GET", context, () => Task.FromResult(new Reply(Encoding.UTF8.GetBytes(_metrics.Write()), "text/plain; version=0.0.4"))),
            "/openapi.json" => Only("GET", context, () => Task.FromResult(Reply.Json(OpenApi.Value))),
            "/.well-known/jwks.json" => Only("GET", context, () => Task.FromResult(KeySet())),
            _ => throw new BrokerRefusal(BrokerError.PathUnknown),
        };
    }

    private Reply Console(BrokerContext context, string file)
    {
        if (SignInRoutes.CallsProvider(file))
            Limit(context);
        return _signIn.Handle(context, file) ?? ConsoleRoutes.Handle(context, file);
    }

    /// <summary>The routes of the protocol and Kist's own; null for a path that is neither's.</summary>
    private Task<Reply>? Protocol(BrokerContext context, RouteSet routes, string path)
    {
        var isKbs = TryBelow(path, KbsProtocol.BasePath, out var rest);
        if (!isKbs && !TryBelow(path, KbsProtocol.KistBasePath, out rest))
            return null;
        if (!_limiter.HasRoom(context.Http.Connection.RemoteIpAddress))
            throw TooOften();
        var (first, remainder) = Split(rest);
        if (RaTlsChannel.Of(context.Http) is { } channel)
        {
            Limit(context);
            return routes.RaTlsAsync(context, channel, isKbs, first, remainder);
        }

        if (!isKbs)
            return routes.KistAsync(context, first, remainder);
        if (first is "auth" or "attest")
            Limit(context);
        return routes.KbsAsync(context, first, remainder);
    }

    /// <summary>A tenant's routes. There are as many of them as tenants at most: names are looked up first.</summary>
    private RouteSet TenantRoutes(BrokerContext context, string tenant)
    {
        if (!TenantScope.IsName(tenant) || !_limiter.HasRoom(context.Http.Connection.RemoteIpAddress) || !services.Tenants.IsOpen(tenant))
        {
            // Whoever tries out names is slowed down.
            Limit(context);
            throw new BrokerRefusal(BrokerError.PathUnknown);
        }

        context.Tenant = tenant;
        return _tenants.GetOrAdd(tenant, name => new RouteSet(services.For(new TenantScope(name)), certificate));
    }

    /// <summary>Ready when the database answers.</summary>
    private Reply Ready()
    {
        _ = services.Audit.Head();
        return Reply.Empty;
    }

    /// <summary>The key that signs tokens, as other verifiers of them want it.</summary>
    private Reply KeySet() => JsonReply.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteStartArray("keys"u8);
        writer.WriteStartObject();
        writer.WriteString("alg"u8, "ES256"u8);
        writer.WriteString("crv"u8, services.TokenKey.PublicKey.Curve);
        writer.WriteString("kid"u8, services.TokenKey.KeyId);
        writer.WriteString("kty"u8, "EC"u8);
        writer.WriteString("use"u8, "sig"u8);
        writer.WriteString("x"u8, Base64Url.Encode(services.TokenKey.PublicKey.X.Span));
        writer.WriteStartArray("x5c"u8);
        writer.WriteBase64StringValue(services.TokenKey.Certificate);
        writer.WriteEndArray();
        writer.WriteString("y"u8, Base64Url.Encode(services.TokenKey.PublicKey.Y.Span));
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    /// <summary>The route without what a peer may put into a path.</summary>
    private static string RouteName(string? path)
    {
        if (path is not null && TryBelow(path, TenantsPath, out var below))
            path = $"/{Split(below).Remainder}";
        var known = RouteNames.FirstOrDefault(name => path is not null && path.StartsWith(name, StringComparison.Ordinal) && (path.Length == name.Length || path[name.Length] == '/'));
        return known ?? "other";
    }

    private void Limit(BrokerContext context)
    {
        if (!_limiter.TryAcquire(context.Http.Connection.RemoteIpAddress))
            throw TooOften();
    }

    private static BrokerRefusal TooOften() => new(BrokerError.RateLimited);

    private static Task<Reply> Only(string method, BrokerContext context, Func<Task<Reply>> handle) =>
        context.Method == method ? handle() : throw new BrokerRefusal(BrokerError.MethodNotAllowed);

    private static bool TryBelow(string path, string prefix, out string rest)
    {
        rest = "";
        if (!path.StartsWith(prefix, StringComparison.Ordinal) || path.Length == prefix.Length || path[prefix.Length] != '/')
            return false;
        rest = path[(prefix.Length + 1)..];
        return true;
    }

    private static (string First, string Remainder) Split(string path)
    {
        var slash = path.IndexOf('/');
        return slash < 0 ? (path, "") : (path[..slash], path[(slash + 1)..]);
    }

    private static Reply Error(BrokerContext context, BrokerError error)
    {
        context.Code = error.Code;
        // Seconds after which to ask again is worth while.
        if (error.Status is 429 or 503)
            context.Http.Response.Headers.RetryAfter = "1";
        return new Reply(
            KbsJson.Write(new ErrorInformation
            {
                Type = KbsProtocol.ErrorTypePrefix + error.Variant,
                Detail = error.Detail,
                Title = ReasonPhrases.GetReasonPhrase(error.Status),
                Status = error.Status,
                Code = error.Code,
                CorrelationId = context.Correlation,
            }),
            "application/problem+json",
            error.Status);
    }

    private void Log(BrokerContext context, int status, TimeSpan elapsed)
    {
        if (services.Options.Log is { } log)
            log(LogLine(context, status, elapsed, null));
    }

    private static string LogLine(BrokerContext context, int status, TimeSpan elapsed, string? error)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("at"u8, context.Now);
            writer.WriteString("peer"u8, context.Peer);
            writer.WriteString("method"u8, context.Method);
            writer.WriteString("path"u8, context.Http.Request.Path.Value);
            writer.WriteNumber("status"u8, status);
            if (context.Code is not null)
                writer.WriteString("code"u8, context.Code);
            if (context.Admin is not null)
                writer.WriteString("admin"u8, context.Admin.Name);
            if (error is not null)
                writer.WriteString("error"u8, error);
            writer.WriteNumber("ms"u8, Math.Round(elapsed.TotalMilliseconds, 2));
            writer.WriteString("correlation"u8, context.Correlation);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
