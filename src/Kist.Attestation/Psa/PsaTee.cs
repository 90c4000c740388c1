using System.Text.Json;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Psa;

/// <summary>PSA attestation tokens (Arm's embedded platforms) in the table of TEEs.</summary>
internal sealed class PsaTee : ITeeVerifier
{
    private const string Spec = "RFC 9783";

    public string Tee => "psa";

    public IEnumerable<FindingExplanation> Explanations =>
    [
        new("psa.key", "the platform's key is trusted",
            "A PSA token does not carry its key. Give the public key beside it, and pin it as a trust anchor of vendor \"psa\".", "RFC 9783 section 5.1"),
        new("psa.token.signature", "the platform signed the token", "COSE_Sign1 with the initial attestation key.", CoseSign1.Spec),
        new("psa.lifecycle", "the device is provisioned and locked", "Outside these states whoever holds the device may read its keys.", "RFC 9783 section 4.3.1"),
        new("psa.binding.report_data", "the token was made for this request", "The nonce holds the value that was asked for.", Spec),
        new("psa.binding.init_data", "no claim binds init-data", "A PSA token measures firmware only.", Spec),
        new("psa.debug", "the root of trust cannot be debugged", "The lifecycle state says that debugging is or was possible.", "RFC 9783 section 4.3.1"),
        new("psa.simulated", "the key is of real hardware", "The pinned key belongs to a simulated platform."),
    ];

    public bool RecognisesBytes(ReadOnlySpan<byte> data)
    {
        // A COSE_Sign1 whose claims have an implementation id, of profile 2 (2396) or 1 (-75003), and no CCA claim (2402).
        if (data is not [0xD2, 0x84, 0x43, 0xA1, 0x01, ..] and not [0xD2, 0x84, 0x44, 0xA1, 0x01, ..])
            return false;
        var head = data[..Math.Min(data.Length, 4096)];
        return (head.IndexOf((ReadOnlySpan<byte>)[0x19, 0x09, 0x5C]) > 0 || head.IndexOf((ReadOnlySpan<byte>)[0x3A, 0x00, 0x01, 0x24, 0xFA]) > 0)
            && head.IndexOf((ReadOnlySpan<byte>)[0x19, 0x09, 0x62]) < 0;
    }

    public bool RecognisesJson(JsonElement evidence) =>
        evidence.ValueKind == JsonValueKind.Object && evidence.TryGetProperty("psa_token", out _);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var message = CoseSign1.Parse(Bytes(evidence));
        var token = PsaToken.Parse(message.Payload);
        verdict.Claims = new PsaClaims(token);
        var key = ArmKeyFinder.Find("psa.key", "psa", token.InstanceId.Span, evidence, options, verdict);
        if (key is not null)
        {
            var holds = message.Verify(key);
            verdict.Check("psa.token.signature", holds, "the token must be signed with the platform's key",
                "a signature by the given key", holds ? $"verifies ({message.AlgorithmName})" : $"does not verify ({message.AlgorithmName})",
                "the token was changed, or is of another device: ask for it again", CoseSign1.Spec);
        }

        ArmLifecycle.Check(token.Lifecycle, "psa.lifecycle", "RFC 9783 section 4.3.1", verdict);
        BindingCheck.ReportData(verdict, binding.ReportData, token.Nonce.Span);
        if (binding.InitDataDigest is not null)
        {
            verdict.Fail("psa.binding.init_data", "no claim of a PSA token binds init-data", "no announced init-data", "announced",
                "do not announce init-data with PSA tokens", Spec);
        }
    }

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var message = CoseSign1.Parse(Bytes(evidence));
        var token = PsaToken.Parse(message.Payload);
        yield return new("cose.algorithm", -1, -1, message.AlgorithmName);
        yield return new("profile", -1, -1, token.Profile);
        yield return Hex("nonce", token.Nonce, "freshness value");
        yield return Hex("instance_id", token.InstanceId, "which device");
        yield return Hex("implementation_id", token.ImplementationId, "which kind of device");
        yield return new("client_id", -1, -1, $"{token.ClientId}", token.ClientId < 0 ? "the non-secure side" : "a secure partition");
        yield return new("security_lifecycle", -1, -1, $"{token.Lifecycle:x4}h", ArmLifecycle.Name(token.Lifecycle));
        yield return Hex("boot_seed", token.BootSeed, "changes with every boot");
        foreach (var field in Components(token.Components))
            yield return field;
    }

    internal static IEnumerable<EvidenceField> Components(IReadOnlyList<PsaSoftwareComponent> components)
    {
        for (var i = 0; i < components.Count; i++)
        {
            yield return Hex($"software_components.{i}.value", components[i].Value, $"{components[i].Type} {components[i].Version}".Trim());
            yield return Hex($"software_components.{i}.signer_id", components[i].SignerId, null);
        }
    }

    internal static EvidenceField Hex(string path, ReadOnlyMemory<byte> value, string? meaning) =>
        new(path, -1, value.Length, Convert.ToHexStringLower(value.Span), meaning);

    private static ReadOnlyMemory<byte> Bytes(Evidence evidence) => evidence.Json is { } json
        ? EvidenceJson.RequireBase64(json, "psa_token", "PSA evidence")
        : evidence.Bytes.IsEmpty ? throw new MalformedDataException("PSA evidence", 0, "it is empty") : evidence.Bytes;
}
