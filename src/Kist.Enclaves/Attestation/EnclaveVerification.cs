using Kist.Attestation;
using Kist.Attestation.RaTls;

namespace Kist.Enclaves.Attestation;

/// <summary>What was concluded about a peer that proved itself for a key.</summary>
/// <param name="Verdict">The verdict: the quote, that it binds key and nonce, and the references.</param>
public sealed record EnclaveVerification(Verdict Verdict)
{
    /// <summary>True if the quote is genuine and acceptable, is the expected peer's, and binds key and nonce.</summary>
    public bool IsAccepted => Verdict.IsAccepted;

    /// <summary>The reason for a refusal, for the operator; null if accepted.</summary>
    public string? Reason => Verdict.IsAccepted ? null
        : Verdict.DecisiveFailure is { } failure ? $"{failure.Id}: {failure.Why} (expected {failure.Expected ?? "-"}, is {failure.Actual ?? "-"})" : "nothing was checked";

    /// <summary>Judges the answer to a challenge.</summary>
    /// <param name="evidence">The answer.</param>
    /// <param name="subjectPublicKeyInfo">The key that the peer uses, DER.</param>
    /// <param name="nonce">The nonce that was sent; null if the evidence was made without one.</param>
    /// <param name="reference">The enclave that is expected.</param>
    /// <param name="options">How to judge; its references are replaced.</param>
    public static EnclaveVerification Verify(
        DiceEvidence evidence, ReadOnlyMemory<byte> subjectPublicKeyInfo, ReadOnlyMemory<byte>? nonce, EnclaveReference reference, VerificationOptions options)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new EnclaveVerification(RaTlsVerifier.Verify(evidence, subjectPublicKeyInfo, nonce, reference.Apply(options)));
    }
}
