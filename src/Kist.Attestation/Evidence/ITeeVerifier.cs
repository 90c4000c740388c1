using System.Text.Json;

namespace Kist.Attestation;

/// <summary>
/// One TEE's entry in <see cref="TeeVerifierTable"/>. Malformed evidence throws MalformedDataException and nothing else;
/// evidence that is well formed and not trusted gives findings.
/// </summary>
internal interface ITeeVerifier
{
    /// <summary>The TEE's name on the wire.</summary>
    string Tee { get; }

    /// <summary>
    /// True if these bytes can only be this TEE's evidence in the vendor's own form. Looks at magic numbers, versions and
    /// sizes; never throws.
    /// </summary>
    bool RecognisesBytes(ReadOnlySpan<byte> data);

    /// <summary>True if this JSON has the members of this TEE's evidence as guests send it. Never throws.</summary>
    bool RecognisesJson(JsonElement evidence);

    /// <summary>Runs every check. The table has already checked <see cref="Evidence.Tee"/>.</summary>
    void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict);

    /// <summary>Lists every field with offset, value and meaning.</summary>
    IEnumerable<EvidenceField> Inspect(Evidence evidence);

    /// <summary>What the finding codes of this TEE mean, for <c>--explain</c>.</summary>
    IEnumerable<FindingExplanation> Explanations { get; }
}
