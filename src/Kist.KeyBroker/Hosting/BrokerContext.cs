using System.Net;
using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Kist.KeyBroker.Hosting;

/// <summary>One request as the routes see it.</summary>
sealed class BrokerContext(HttpContext http, TimeProvider time, AdminAuthenticator administrators, CancellationToken aborted)
{
    /// <summary>The cookie of an administrator who signed in by redirect.</summary>
    public const string ConsoleCookie = "__Host-kist-console";

    private const string ConsoleHeader = "X-Kist-Console";
    private const int MaxTokenLength = KbsProtocol.MaxTokenLength;

    /// <summary>What the peer is told and the operator looks for.</summary>
    public string Correlation { get; } = Guid.NewGuid().ToString("N");

    public HttpContext Http { get; } = http;

    public CancellationToken Aborted { get; } = aborted;

    public DateTimeOffset Now { get; } = time.GetUtcNow();

    public string Method => Http.Request.Method;

    /// <summary>The peer's address, without its port.</summary>
    public string Peer { get; } = Normalise(http.Connection.RemoteIpAddress);

    /// <summary>The stable code of the error that was answered, for the log.</summary>
    public string? Code { get; set; }

    /// <summary>The tenant whom the request concerns; "" for the one that needs no name.</summary>
    public string Tenant { get; set; } = "";

    /// <summary>What the request's path has before the protocol's own.</summary>
    public string BasePath => Tenant.Length == 0 ? "" : $"{BrokerApplication.TenantsPath}/{Tenant}";

    /// <summary>The administrator who asks, once it was checked.</summary>
    public AdminIdentity? Admin { get; private set; }

    /// <summary>The whole body.</summary>
    /// <exception cref="BrokerRefusal">It is longer than the limit.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadBodyAsync(int limit)
    {
        if (Http.Request.ContentLength > limit)
            throw new BrokerRefusal(BrokerError.TooLarge, $"{Http.Request.ContentLength} bytes announced, limit {limit}");
        if (Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
            feature.MaxRequestBodySize = limit;
        using var buffer = new MemoryStream((int)Math.Min(Http.Request.ContentLength ?? 4096, limit));
        try
        {
            await Http.Request.Body.CopyToAsync(buffer, Aborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e)
        {
            throw new BrokerRefusal(e.StatusCode switch { 413 => BrokerError.TooLarge, 408 => BrokerError.TooSlow, _ => BrokerError.Malformed }, e.Message, e);
        }

        return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
    }

    /// <summary>The body as a message of the protocol.</summary>
    /// <exception cref="BrokerRefusal">It is not such a message.</exception>
    public async Task<T> ReadAsync<T>(int limit)
        where T : class => Parse<T>(await ReadBodyAsync(limit).ConfigureAwait(false), limit);

    /// <summary>A body as a message of the protocol.</summary>
    /// <exception cref="BrokerRefusal">It is not such a message.</exception>
    public static T Parse<T>(ReadOnlyMemory<byte> body, int limit)
        where T : class
    {
        try
        {
            return KbsJson.Read<T>(body.Span, limit);
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.Malformed.Saying(e.Message), e.Message, e);
        }
    }

    /// <summary>The bearer token, or null.</summary>
    public string? Bearer()
    {
        var header = Http.Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || !value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return null;
        var token = value["Bearer ".Length..].Trim();
        return token.Length is > 0 and <= MaxTokenLength ? token : null;
    }

    /// <summary>
    /// The token of an administrator who signed in to the console, or null. Browsers send cookies with requests that other sites
    /// make them send; the header that the console's own script adds they do not, and they say where a request comes from.
    /// </summary>
    public string? ConsoleToken() =>
        IsOfConsole && Http.Request.Cookies.TryGetValue(ConsoleCookie, out var value) && value is { Length: > 0 and <= MaxTokenLength } ? value : null;

    /// <summary>Demands that the request is the console's own.</summary>
    /// <exception cref="BrokerRefusal">It is not.</exception>
    public void RequireConsole()
    {
        if (!IsOfConsole)
            throw new BrokerRefusal(BrokerError.AdminUnauthenticated);
    }

    private bool IsOfConsole => Http.Request.Headers[ConsoleHeader] == "1" && Http.Request.Headers["Sec-Fetch-Site"].ToString() is ("" or "same-origin");

    /// <summary>The session cookie, or null if there is none, or what is there cannot be one.</summary>
    public string? SessionCookie() =>
        Http.Request.Cookies.TryGetValue(KbsProtocol.SessionCookie, out var value) && value is { Length: 32 } && value.All(char.IsAsciiHexDigitLower) ? value : null;

    /// <summary>Demands an administrator with this role.</summary>
    /// <exception cref="BrokerRefusal">The token is missing, unknown, or has another role.</exception>
    public AdminIdentity Require(AdminRole role)
    {
        if ((Bearer() ?? ConsoleToken()) is not { } token || administrators.Find(token, Now) is not { } identity)
            throw new BrokerRefusal(BrokerError.AdminUnauthenticated);
        Admin = identity;
        if (identity.Tenant is { } tenant && tenant != Tenant)
            throw new BrokerRefusal(BrokerError.AdminForbidden, $"{identity.Name} administers the tenant {tenant} only");
        if ((identity.Roles & role) == 0)
            throw new BrokerRefusal(BrokerError.AdminForbidden, $"{identity.Name} is {AdminRoles.Format(identity.Roles)}; needed is {AdminRoles.Format(role)}");
        return identity;
    }

    /// <summary>A query parameter, or null.</summary>
    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var values) && values.Count == 1 ? values[0] : null;

    /// <summary>A query parameter that must be there.</summary>
    public string RequiredQuery(string name) =>
        Query(name) is { Length: > 0 } value ? value : throw new BrokerRefusal(BrokerError.Malformed.Saying($"the query parameter \"{name}\" is missing"));

    /// <summary>A number in a query parameter.</summary>
    public long Number(string name, long otherwise, long minimum, long maximum)
    {
        if (Query(name) is not { } text)
            return otherwise;
        if (long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
            return number;
        throw new BrokerRefusal(BrokerError.Malformed.Saying($"the query parameter \"{name}\" must be a number from {minimum} to {maximum}"));
    }

    private static string Normalise(IPAddress? address) =>
        address is null ? "unknown" : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
}
