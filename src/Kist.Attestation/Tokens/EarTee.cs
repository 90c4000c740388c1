using System.Text.Json;

namespace Kist.Attestation.Tokens;

/// <summary>Attestation results of other verifiers in the table of TEEs, under the name "ear".</summary>
internal sealed class EarTee : ITeeVerifier
{
    public string Tee => "ear";

    public IEnumerable<FindingExplanation> Explanations =>
    [
        new("ear.signature", "a verifier that is trusted signed the token",
            "Its key must be pinned as a trust anchor of vendor \"ear\", or certified below one (x5c). A key that stands only in the "
            + "token's own header proves nothing: whoever made the token chose it.", EarVerifier.Spec),
        new("ear.time", "the token is in force", "iat must not lie in the future, nor exp in the past.", "RFC 7519 section 4.1"),
        new("ear.status", "the verifier affirms every part of the machine",
            "none, affirming, warning, contraindicated: the worst tier of the trustworthiness vector. Anything but affirming is refused.", EarVerifier.Spec),
        new("ear.binding", "a result binds no request by itself", "Key and nonce stand in the annotated evidence, and are for the token's user to compare."),
        new("ear.simulated", "the verifier is a real one", "The pinned key belongs to a simulation."),
    ];

    public bool RecognisesBytes(ReadOnlySpan<byte> data)
    {
        var text = data.Trim(" \r\n\t"u8);
        // "{" in base64url, and three parts.
        return text.Length > 10 && text.StartsWith("ey"u8) && text.Count((byte)'.') == 2
            && !text.ContainsAnyExcept(System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."u8));
    }

    public bool RecognisesJson(JsonElement evidence) => false;

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict) =>
        EarVerifier.Verify(evidence, binding, options, verdict);

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var token = EarSignature.Parse(evidence.Bytes);
        var result = token.IsCbor ? EarCbor.Parse(token.Payload) : LegacyToken.TryParse(token.Payload.Span) ?? EarJson.Parse(token.Payload.Span);
        yield return new("header.alg", -1, -1, token.Algorithm);
        yield return new("eat_profile", -1, -1, result.Profile);
        yield return new("iat", -1, -1, Timestamp.Format(result.IssuedAt), "issued");
        if (result.Expires is { } expires)
            yield return new("exp", -1, -1, Timestamp.Format(expires), "expires");
        yield return new("verifier_id", -1, -1, $"{result.Developer}, {result.Build}");
        foreach (var (name, appraisal) in result.Submods)
        {
            yield return new($"submods.{name}.status", -1, -1, appraisal.Status.Name());
            foreach (var (claim, value) in appraisal.Vector)
                yield return new($"submods.{name}.vector.{claim}", -1, -1, $"{value}", EarTiers.Of(value).Name());
            yield return new($"submods.{name}.policies", -1, -1, string.Join(", ", appraisal.PolicyIds));
        }
    }
}
