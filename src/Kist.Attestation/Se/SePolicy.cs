namespace Kist.Attestation.Se;

/// <summary>What only the verifier of IBM Secure Execution evidence knows: the secrets of its own attestation request.</summary>
public sealed record SePolicy
{
    /// <summary>No secrets: evidence can be read and is refused.</summary>
    public static SePolicy Default { get; } = new();

    /// <summary>
    /// The measurement key of the request, 64 bytes, decrypted by whoever made the request from encr_measurement_key. Empty: the
    /// measurement cannot be checked, and the evidence is refused. The caller zeroes it.
    /// </summary>
    public ReadOnlyMemory<byte> MeasurementKey { get; init; }

    /// <summary>The request's nonce, 16 bytes; empty if it had none.</summary>
    public ReadOnlyMemory<byte> RequestNonce { get; init; }
}
