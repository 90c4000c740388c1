using System.Text.Json;
using Kist.Attestation.Psa;
using Kist.Formats;

namespace Kist.Attestation.Cca;

/// <summary>Arm CCA in the table of TEEs.</summary>
internal sealed class CcaTee : ITeeVerifier
{
    private const string Structure = "CCA evidence";

    public string Tee => "cca";

    public IEnumerable<FindingExplanation> Explanations =>
    [
        new("cca.platform.key", "the platform's key is trusted",
            "A CCA token does not carry the platform's key (CPAK). Give it beside the evidence, or in the collateral under the "
            + "instance id, and pin it as a trust anchor of vendor \"arm\".", CcaVerifier.Spec),
        new("cca.platform.signature", "the platform signed its token", "COSE_Sign1 with the CPAK.", CcaVerifier.Spec),
        new("cca.platform.lifecycle", "the platform is provisioned and locked",
            "Outside these states whoever holds the machine may read the platform's keys.", CcaVerifier.Spec),
        new("cca.realm.key_binding", "the platform vouches for the realm's key",
            "The platform token's challenge must be the hash of the realm's public key as encoded in the realm token.", CcaVerifier.Spec),
        new("cca.realm.signature", "the realm's key signed the realm token", "COSE_Sign1 with the RAK.", CcaVerifier.Spec),
        new("cca.binding.report_data", "the token was made for this request", "The realm challenge holds the value, padded with zeros.", CcaVerifier.Spec),
        new("cca.binding.init_data", "the realm was started with the announced init-data", "The personalization value holds the digest.", CcaVerifier.Spec),
        new("cca.debug", "the platform's root of trust cannot be debugged", "The lifecycle state says that debugging is or was possible.", CcaVerifier.Spec),
        new("cca.simulated", "the key is of real hardware", "The pinned key belongs to a simulated platform."),
    ];

    public bool RecognisesBytes(ReadOnlySpan<byte> data) => data is [0xD9, 0x01, 0x8F, 0xA2, ..];

    public bool RecognisesJson(JsonElement evidence) => evidence.ValueKind == JsonValueKind.Object
        && evidence.TryGetProperty("token", out var token) && token.ValueKind == JsonValueKind.Array;

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict) =>
        CcaVerifier.Verify(Bytes(evidence), evidence, binding, options, verdict);

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var token = CcaToken.Parse(Bytes(evidence));
        yield return new("platform.profile", -1, -1, token.Platform.Profile);
        yield return PsaTee.Hex("platform.challenge", token.Platform.Challenge, "hash of the realm's key");
        yield return PsaTee.Hex("platform.implementation_id", token.Platform.ImplementationId, "which kind of platform");
        yield return PsaTee.Hex("platform.instance_id", token.Platform.InstanceId, "which platform");
        yield return PsaTee.Hex("platform.config", token.Platform.Config, "as its maker defines");
        yield return new("platform.lifecycle", -1, -1, $"{token.Platform.Lifecycle:x4}h", ArmLifecycle.Name(token.Platform.Lifecycle));
        foreach (var field in PsaTee.Components(token.Platform.Components))
            yield return field with { Path = $"platform.{field.Path}" };
        yield return new("realm.profile", -1, -1, token.Realm.Profile ?? "(none)");
        yield return PsaTee.Hex("realm.challenge", token.Realm.Challenge, "freshness value");
        yield return PsaTee.Hex("realm.personalization_value", token.Realm.PersonalizationValue, "set by the host; init-data digest");
        yield return PsaTee.Hex("realm.initial_measurement", token.Realm.InitialMeasurement, token.Realm.HashAlgorithm);
        for (var i = 0; i < token.Realm.ExtensibleMeasurements.Length; i++)
            yield return PsaTee.Hex($"realm.extensible_measurements.{i}", token.Realm.ExtensibleMeasurements[i], "extended by the realm");
        yield return PsaTee.Hex("realm.public_key", token.Realm.PublicKey, $"hashed by {token.Realm.PublicKeyHashAlgorithm}");
    }

    private static ReadOnlyMemory<byte> Bytes(Evidence evidence) => evidence.Json is { } json
        ? EvidenceJson.RequireByteArray(json, "token", -1, Structure)
        : evidence.Bytes.IsEmpty ? throw new MalformedDataException(Structure, 0, "it is empty") : evidence.Bytes;
}
