using System.Text.Json;

namespace Kist.Attestation.Tpm;

/// <summary>A TPM 2.0 of its own in the table of TEEs.</summary>
internal sealed class TpmTee : ITeeVerifier
{
    public string Tee => "tpm";

    public IEnumerable<FindingExplanation> Explanations => TpmExplanations.All;

    // A quote alone cannot be judged: only forms that hold signature, key and registers too are evidence.
    public bool RecognisesBytes(ReadOnlySpan<byte> data) => GoTpmAttestation.IsLikely(data) || BincodeQuote.IsLikely(data);

    public bool RecognisesJson(JsonElement evidence) => evidence.ValueKind == JsonValueKind.Object
        && ((evidence.TryGetProperty("ak_public", out _) && evidence.TryGetProperty("tpm_quote", out _))
            || (evidence.TryGetProperty("message", out _) && evidence.TryGetProperty("signature", out _) && evidence.TryGetProperty("pcrs", out _)));

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict) =>
        TpmVerifier.Verify(TpmEvidence.Read(evidence), binding, options, verdict);

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var parsed = TpmEvidence.Read(evidence);
        return TpmInspector.Fields(parsed.Quote, parsed.Signature, parsed.Pcrs)
            .Append(new("ak_public", -1, parsed.AttestationKey.Length, Convert.ToHexStringLower(parsed.AttestationKey.Span), "SubjectPublicKeyInfo"));
    }
}
