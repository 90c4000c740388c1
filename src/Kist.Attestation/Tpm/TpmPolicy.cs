namespace Kist.Attestation.Tpm;

/// <summary>What is acceptable of genuine TPM quotes, beside reference values.</summary>
public sealed record TpmPolicy
{
    /// <summary>The defaults.</summary>
    public static TpmPolicy Default { get; } = new();

    /// <summary>
    /// True to leave to a later policy whether the attestation key is a TPM's (Trustee's policies compare ak_public with
    /// trusted_aks). By default the key must be pinned as a trust anchor of vendor "tpm", be certified below one, or be a
    /// reference value of the claim ak_public; any program can make a key, and quotes with it.
    /// </summary>
    public bool AllowUnanchoredKey { get; init; }
}
