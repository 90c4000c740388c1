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

/// <summary>Needs a cosign signature by a public key.</summary>
/// <param name="Keys">Public keys, of which one must have signed.</param>
/// <param name="Identity">Which name must have been signed.</param>
public sealed record SigstoreSignedRequirement(IReadOnlyList<PolicyKey> Keys, SignedIdentity Identity) : PolicyRequirement
{
    /// <inheritdoc/>
    public override string Type => "sigstoreSigned";
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
