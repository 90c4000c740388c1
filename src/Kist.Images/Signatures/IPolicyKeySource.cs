namespace Kist.Images.Signatures;

/// <summary>Reads the keys that a policy names by path: files, or resources of the broker (kbs:///…).</summary>
public interface IPolicyKeySource
{
    /// <summary>The content of a key.</summary>
    Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken);
}

/// <summary>Verifies simple signatures, which need OpenPGP. The guest has no such verifier: its trusted base stays small.</summary>
public interface ISimpleSignatureVerifier
{
    /// <summary>Verifies a signature that some key of the rings must have made.</summary>
    /// <returns>What was signed, or null and the reason why not.</returns>
    (byte[]? Payload, string? Reason) Verify(ReadOnlyMemory<byte> signature, IReadOnlyList<byte[]> keyRings);
}

/// <summary>Where simple signatures are kept: a lookaside store.</summary>
public interface ISimpleSignatureStore
{
    /// <summary>The signatures of a manifest, in order.</summary>
    Task<IReadOnlyList<byte[]>> ReadAsync(Oci.ImageReference image, Oci.Digest manifest, CancellationToken cancellationToken);
}
