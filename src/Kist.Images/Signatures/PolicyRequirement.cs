namespace Kist.Images.Signatures;

/// <summary>One requirement of a policy.</summary>
public abstract record PolicyRequirement
{
    /// <summary>The type as the policy file writes it.</summary>
    public abstract string Type { get; }
}

/// <summary>Accepts everything.</summary>
public sealed record AcceptAnythingRequirement : PolicyRequirement
{
    /// <inheritdoc/>
    public override string Type => "insecureAcceptAnything";
}

/// <summary>Refuses everything.</summary>
public sealed record RejectRequirement : PolicyRequirement
{
    /// <inheritdoc/>
    public override string Type => "reject";
}

/// <summary>Needs a simple signature by an OpenPGP key.</summary>
/// <param name="Keys">Key rings, of which one key must have signed.</param>
/// <param name="Identity">Which name must have been signed.</param>
public sealed record SignedByRequirement(IReadOnlyList<PolicyKey> Keys, SignedIdentity Identity) : PolicyRequirement
{
    /// <inheritdoc/>
    public override string Type => "signedBy";
}

/// <summary>Needs a cosign signature by a public key, or by a signer that a certificate names.</summary>
/// <param name="Keys">Public keys, of which one must have signed; empty if certificates count.</param>
/// <param name="Identity">Which name must have been signed.</param>
public sealed record SigstoreSignedRequirement(IReadOnlyList<PolicyKey> Keys, SignedIdentity Identity) : PolicyRequirement
{
    /// <inheritdoc/>
    public override string Type => "sigstoreSigned";

    /// <summary>Whose certificates count, or null.</summary>
    public CertificateRequirement? Certificates { get; init; }

    /// <summary>Public keys of transparency logs, of which one must have the signature; empty asks for none.</summary>
    public IReadOnlyList<PolicyKey> RekorKeys { get; init; } = [];

    /// <summary>A whole trusted root in place of single keys and authorities; not from a policy file.</summary>
    public SigstoreTrustRoot? Root { get; init; }
}

/// <summary>Signers whom certificates name (policy.json "fulcio" and "pki").</summary>
public sealed record CertificateRequirement
{
    /// <summary>The authorities' certificates, roots and intermediate ones.</summary>
    public IReadOnlyList<PolicyKey> Authorities { get; init; } = [];

    /// <summary>A trusted_root.json that names authorities, logs and timestamp authorities, in place of single ones; null if those are given. Our own addition.</summary>
    public PolicyKey? TrustedRoot { get; init; }

    /// <summary>True for Fulcio's short-lived certificates, judged when the log took the signature; false for a PKI's, judged now.</summary>
    public bool IsFulcio { get; init; }

    /// <summary>The OpenID provider (Fulcio only).</summary>
    public string? OidcIssuer { get; init; }

    /// <summary>An e-mail address that the certificate must have.</summary>
    public string? SubjectEmail { get; init; }

    /// <summary>A host that the certificate must have.</summary>
    public string? SubjectHostname { get; init; }

    /// <summary>An e-mail address, URI or other name, in place of an address. Our own addition to policy files.</summary>
    public string? Subject { get; init; }
}

/// <summary>A requirement that is understood but cannot be met here: it refuses, and says why.</summary>
/// <param name="Name">Its type.</param>
/// <param name="Reason">Why it cannot be met.</param>
public sealed record UnsupportedRequirement(string Name, string Reason) : PolicyRequirement
{
    /// <inheritdoc/>
    public override string Type => Name;
}

/// <summary>A key in a policy: a path (a file, or kbs:///… at the broker) or the key itself.</summary>
/// <param name="Path">The path, or null.</param>
/// <param name="Data">The key: PEM, or an OpenPGP key ring; or null.</param>
public sealed record PolicyKey(string? Path, byte[]? Data);
