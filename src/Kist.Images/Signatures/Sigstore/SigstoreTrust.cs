using System.Security.Cryptography;

namespace Kist.Images.Signatures;

/// <summary>What a signature must be verified by. Keys and authorities are alternatives; a log is demanded besides.</summary>
sealed record SigstoreTrust : IDisposable
{
    /// <summary>Public keys, of which one must have signed.</summary>
    public IReadOnlyList<AsymmetricAlgorithm> Keys { get; init; } = [];

    /// <summary>Signers named by certificates, or null.</summary>
    public CertificateTrust? Certificates { get; init; }

    /// <summary>The transparency logs.</summary>
    public IReadOnlyList<LogKey> Logs { get; init; } = [];

    /// <summary>Authorities whose timestamps count.</summary>
    public IReadOnlyList<SigningAuthority> TimestampAuthorities { get; init; } = [];

    /// <summary>True demands that one of the logs has the signature.</summary>
    public bool IsLogRequired { get; init; }

    public void Dispose()
    {
        foreach (var key in Keys)
            key.Dispose();
    }
}

/// <summary>Whose certificates are accepted.</summary>
sealed record CertificateTrust
{
    /// <summary>Who may have issued them.</summary>
    public required IReadOnlyList<SigningAuthority> Authorities { get; init; }

    /// <summary>True judges them at the time that a log or a timestamp authority vouches for; false, now.</summary>
    public bool IsTimeVouchedFor { get; init; } = true;

    /// <summary>Certificate logs, of which one must have made the certificate public; null asks for none.</summary>
    public IReadOnlyList<LogKey>? CertificateLogs { get; init; }

    /// <summary>The OpenID provider that must have vouched for the subject; null for authorities without one.</summary>
    public string? OidcIssuer { get; init; }

    /// <summary>An e-mail address that it must name, or null.</summary>
    public string? Email { get; init; }

    /// <summary>A host that it must name, or null.</summary>
    public string? Host { get; init; }

    /// <summary>An e-mail address, URI or other name that it must name, or null.</summary>
    public string? Subject { get; init; }
}
