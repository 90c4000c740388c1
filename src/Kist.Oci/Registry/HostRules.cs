using System.Net;

namespace Kist.Oci;

/// <summary>
/// Which other hosts a registry may send us to, in this order, ending in refusal:
/// 1. the registry itself (same host and port);
/// 2. a host that the user trusts for it (<see cref="RegistryOptions.TrustedHosts"/>);
/// 3. the known helpers of a public registry, below, over https;
/// 4. no other.
/// Otherwise a hostile registry could have a guest or a build machine call services that only they can reach.
/// </summary>
static class HostRules
{
    private static readonly (string Registry, string[] Helpers)[] WellKnown =
    [
        ("registry-1.docker.io", ["auth.docker.io", "*.docker.com", "*.r2.cloudflarestorage.com"]),
        ("ghcr.io", ["*.githubusercontent.com"]),
        ("quay.io", ["*.quay.io"]),
        ("registry.gitlab.com", ["gitlab.com", "*.googleapis.com", "cdn.registry.gitlab-static.net"]),
        ("mcr.microsoft.com", ["*.data.mcr.microsoft.com"]),
        ("registry.k8s.io", ["*.pkg.dev", "*.amazonaws.com"]),
    ];

    public static bool Allows(Uri registry, Uri target, IReadOnlyList<string> trusted)
    {
        if (target.Scheme is not ("http" or "https") || target.UserInfo.Length > 0)
            return false;
        if (Same(registry, target))
            return true;
        if (registry.Scheme == "https" && target.Scheme != "https")
            return false;
        if (trusted.Any(pattern => Matches(pattern, target.IdnHost)))
            return true;
        return target.Scheme == "https" && WellKnown.Any(w => w.Registry == registry.IdnHost && w.Helpers.Any(h => Matches(h, target.IdnHost)));
    }

    /// <summary>Same scheme, host and port: what credentials are bound to.</summary>
    public static bool Same(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>True if a registry's host is this machine itself.</summary>
    public static bool IsLoopback(string registry)
    {
        var host = registry.StartsWith('[') ? registry[1..registry.IndexOf(']', StringComparison.Ordinal)] : registry.Split(':')[0];
        return host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
    }

    private static bool Matches(string pattern, string host) => pattern.StartsWith("*.", StringComparison.Ordinal)
        ? host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase) && host.Length > pattern.Length - 1
        : string.Equals(pattern, host, StringComparison.OrdinalIgnoreCase);
}
