using System.Security.Cryptography;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>What was concluded about an enclave that proved itself for a key. Accepted only if all of it holds.</summary>
/// <param name="Verdict">The verifier's verdict on the quote, references included.</param>
/// <param name="BindingDefect">Why the evidence does not belong to this key or this challenge; null if it does.</param>
public sealed record EnclaveVerification(Verdict Verdict, string? BindingDefect)
{
    /// <summary>True if the quote is genuine and acceptable, is the expected enclave's, and binds key and nonce.</summary>
    public bool IsAccepted => BindingDefect is null && Verdict.IsAccepted;

    /// <summary>The reason for a refusal, for the operator; null if accepted.</summary>
    public string? Reason => BindingDefect ?? (Verdict.IsAccepted ? null
        : Verdict.DecisiveFailure is { } failure ? $"{failure.Id}: {failure.Why} (expected {failure.Expected ?? "-"}, is {failure.Actual ?? "-"})" : "nothing was checked");

    /// <summary>Judges evidence.</summary>
    /// <param name="evidence">The evidence.</param>
    /// <param name="subjectPublicKeyInfo">The key that the peer uses, DER.</param>
    /// <param name="nonce">The nonce that was sent; null if the evidence was made without one.</param>
    /// <param name="reference">The enclave that is expected.</param>
    /// <param name="options">How to judge; its references are replaced.</param>
    public static EnclaveVerification Verify(
        DiceEvidence evidence, ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlyMemory<byte>? nonce, EnclaveReference reference, VerificationOptions options)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(options);
        var verdict = EvidenceVerifier.Verify(
            new Evidence { Tee = "sgx", Bytes = evidence.Quote },
            new ExpectedBinding(evidence.ClaimsDigest(), null),
            options with { References = reference.ToReferenceValues(), Tcb = reference.Apply(options.Tcb) });
        return new EnclaveVerification(verdict, FindBindingDefect(evidence, subjectPublicKeyInfo, nonce));
    }

    private static string? FindBindingDefect(DiceEvidence evidence, ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlyMemory<byte>? nonce)
    {
        if (!CryptographicOperations.FixedTimeEquals(evidence.KeyHash.Span, SHA256.HashData(subjectPublicKeyInfo)))
            return "the evidence is for another key than the peer's";
        if (nonce is not { } sent)
            return null;
        if (evidence.Nonce is not { } answered)
            return "the evidence has no nonce: it was not made for this challenge";
        return CryptographicOperations.FixedTimeEquals(sent.Span, answered.Span) ? null : "the evidence answers another challenge";
    }
}
