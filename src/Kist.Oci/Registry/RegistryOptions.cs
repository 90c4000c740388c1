using System.Security.Cryptography.X509Certificates;

namespace Kist.Oci;

/// <summary>How to talk to a registry. The defaults are strict: TLS unless the host is a loopback one, no other hosts.</summary>
public sealed record RegistryOptions
{
    /// <summary>True for plain http; false for https; null for http on loopback hosts and https on all others.</summary>
    public bool? PlainHttp { get; init; }

    /// <summary>The only authorities that may vouch for the registry's certificate; empty for the system's.</summary>
    public IReadOnlyList<X509Certificate2> CertificateAuthorities { get; init; } = [];

    /// <summary>Where names and passwords come from, or null for none.</summary>
    public IRegistryCredentialSource? Credentials { get; init; }

    /// <summary>
    /// Other hosts that the registry may redirect to or have its tokens issued by: "cdn.example.com" or "*.example.com".
    /// The registry's own host is always allowed, and well-known public registries' own helpers (see <c>HostRules</c>).
    /// </summary>
    public IReadOnlyList<string> TrustedHosts { get; init; } = [];

    /// <summary>Where images are really fetched from.</summary>
    public RegistryRules Rules { get; init; } = RegistryRules.None;

    /// <summary>The proxies to go through, or null for none: the environment is not asked here.</summary>
    public RegistryProxy? Proxy { get; init; }

    /// <summary>Time to connect.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time until the head of an answer has arrived.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest silence inside a body.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Slowest rate of a body, averaged over a minute: a registry must not hold a pod for ever.</summary>
    public long MinimumBytesPerSecond { get; init; } = 1024;

    /// <summary>How often a request is tried in all.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>Size of the pieces of a chunked upload.</summary>
    public int UploadChunkBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Longest wait before another try.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Time, for waits and token lifetimes.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>True if a registry, host[:port], is this machine itself: plain http is spoken to it unless told otherwise.</summary>
    public static bool IsLoopback(string registry) => HostRules.IsLoopback(registry);

    /// <summary>How to make a connection to host and port, or null for TCP by the system's resolver.</summary>
    public Func<string, int, CancellationToken, ValueTask<Stream>>? Connect { get; init; }
}

/// <summary>A name and password, or a token that stands for them.</summary>
/// <param name="User">The name; empty with an identity token.</param>
/// <param name="Secret">The password or identity token.</param>
/// <param name="IsIdentityToken">True if <paramref name="Secret"/> is an OAuth 2 refresh token.</param>
public sealed record RegistryCredential(string User, string Secret, bool IsIdentityToken = false)
{
    /// <summary>Never shows the secret.</summary>
    public override string ToString() => IsIdentityToken ? "identity token" : $"user '{User}'";
}

/// <summary>Where credentials come from: a file, a helper program, the key broker.</summary>
public interface IRegistryCredentialSource
{
    /// <summary>The credential for a repository, or null if there is none.</summary>
    ValueTask<RegistryCredential?> FindAsync(string registry, string repository, CancellationToken cancellationToken);
}
