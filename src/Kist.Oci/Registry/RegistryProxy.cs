using System.Net;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// The proxies of a network, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY name them. NO_PROXY holds hosts, domains (with or without
/// a leading dot, and all below them), host:port, addresses, networks (10.0.0.0/8), or "*". Loopback hosts are never proxied.
/// </summary>
public sealed class RegistryProxy : IWebProxy
{
    private readonly Uri? _https;
    private readonly Uri? _http;
    private readonly string[] _direct;

    /// <summary>Names the proxies.</summary>
    /// <param name="https">For https, http://[user:password@]host:port; null for none.</param>
    /// <param name="http">For http.</param>
    /// <param name="direct">Whom to reach without: a list separated by commas.</param>
    /// <exception cref="MalformedDataException">A proxy is no URL.</exception>
    public RegistryProxy(string? https, string? http, string? direct)
    {
        _https = Read(https);
        _http = Read(http);
        _direct = (direct ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var credentials = (_https ?? _http)?.UserInfo.Split(':', 2);
        if (credentials is [{ Length: > 0 } user, var password])
            Credentials = new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(password));
    }

    /// <inheritdoc/>
    public ICredentials? Credentials { get; set; }

    /// <summary>The environment's proxies; null if it names none.</summary>
    public static RegistryProxy? FromEnvironment()
    {
        var (https, http) = (Variable("HTTPS_PROXY") ?? Variable("ALL_PROXY"), Variable("HTTP_PROXY") ?? Variable("ALL_PROXY"));
        return https is null && http is null ? null : new RegistryProxy(https, http, Variable("NO_PROXY"));
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : destination.Scheme == Uri.UriSchemeHttps ? _https : _http;

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) =>
        (host.Scheme == Uri.UriSchemeHttps ? _https : _http) is null || host.IsLoopback || _direct.Any(d => Matches(d, host));

    private static bool Matches(string entry, Uri host)
    {
        if (entry == "*")
            return true;
        if (IPNetwork.TryParse(entry, out var network))
            return IPAddress.TryParse(host.IdnHost, out var address) && network.Contains(address);
        var colon = entry.LastIndexOf(':');
        if (colon > 0 && int.TryParse(entry.AsSpan(colon + 1), out var port) && entry.IndexOf(':', StringComparison.Ordinal) == colon)
            return port == host.Port && IsBelow(entry[..colon], host.IdnHost);
        return IsBelow(entry, host.IdnHost);
    }

    private static bool IsBelow(string domain, string host)
    {
        domain = domain.TrimStart('*').TrimStart('.');
        return string.Equals(domain, host, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase);
    }

    private static Uri? Read(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        return Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri!
            : throw new MalformedDataException("proxy", -1, $"it must be http://host:port");
    }

    // As curl and Go: small letters, too.
    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } upper ? upper : Environment.GetEnvironmentVariable(name.ToLowerInvariant()) is { Length: > 0 } lower ? lower : null;
}
