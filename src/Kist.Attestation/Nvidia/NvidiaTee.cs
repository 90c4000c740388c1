using System.Text.Json;

namespace Kist.Attestation.Nvidia;

/// <summary>NVIDIA GPUs and switches in the table of TEEs.</summary>
internal sealed class NvidiaTee : ITeeVerifier
{
    public string Tee => "nvidia";

    public IEnumerable<FindingExplanation> Explanations =>
    [
        new("nvidia.chain", "the device's key descends from NVIDIA's device identity root",
            "Firmware < boot ROM < provisioner < product line < NVIDIA Device Identity CA, pinned by its key.", NvidiaVerifier.Spec),
        new("nvidia.report.signature", "the device signed the report",
            "ECDSA P-384 over the SPDM request and response. It fails if either was changed, or if the certificates are of another device.", NvidiaVerifier.Spec),
        new("nvidia.report.firmware", "the key is of the firmware that the report names",
            "The leaf certificate (DICE) holds the digest of the firmware that may use its key; the report must name the same.", "TCG DICE attestation architecture section 6.1"),
        new("nvidia.rim", "measurements are as NVIDIA published them",
            "Reference integrity manifests list the good measurements of each firmware and driver version. They are compared if the "
            + "collateral has them; each must be signed, over its whole text, below NVIDIA's root of manifests.", "TCG RIM information model"),
        new("nvidia.chain.revocation", "the device's certificates were not revoked",
            "NVIDIA publishes revocation by OCSP only, whose answers are made on request, with the network. It is not checked here, and said so.", NvidiaVerifier.Spec),
        new("nvidia.binding.report_data", "the report was made for this request", "The nonce of the SPDM request is the first 32 bytes of the value that was asked for.", NvidiaVerifier.Spec),
        new("nvidia.binding.init_data", "no field of a device binds init-data", "The guest's own evidence does."),
        new("nvidia.simulated", "the report is of real hardware", "The chain ends at the root of a simulated platform."),
    ];

    public bool RecognisesBytes(ReadOnlySpan<byte> data) =>
        data.Length > 200 && data[0] == 0x11 && data[1] == 0xE0 && data[37] == 0x11 && data[38] == 0x60;

    public bool RecognisesJson(JsonElement evidence) =>
        evidence.ValueKind == JsonValueKind.Object && evidence.TryGetProperty("device_evidence_list", out _);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict) =>
        NvidiaVerifier.Verify(NvidiaEvidence.Read(evidence), binding, options, verdict);

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var devices = NvidiaEvidence.Read(evidence);
        for (var i = 0; i < devices.Count; i++)
        {
            foreach (var field in Device(NvidiaReportReader.Parse(devices[i].Report.Span)))
                yield return devices.Count == 1 ? field : field with { Path = $"devices.{i}.{field.Path}" };
        }
    }

    private static IEnumerable<EvidenceField> Device(NvidiaReport report)
    {
        yield return new("request.nonce", 4, 32, Convert.ToHexStringLower(report.RequestNonce.Span), "of whoever asked");
        foreach (var (index, value) in report.Measurements)
            yield return new($"measurements.{index}", -1, value.Length, Convert.ToHexStringLower(value.Span));
        yield return new("response.nonce", -1, 32, Convert.ToHexStringLower(report.ResponseNonce.Span), "of the device");
        foreach (var (type, value) in report.Fields)
            yield return new($"opaque.{NvidiaField.Name(type)}", -1, value.Length, Convert.ToHexStringLower(value.Span), NvidiaField.Text(type, value.Span));
        yield return new("signature", report.SignedBytes.Length, 96, Convert.ToHexStringLower(report.Signature.Span), "r and s");
    }
}
