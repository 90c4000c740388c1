using System.Text.Json;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Nitro;

/// <summary>AWS Nitro Enclaves in the table of TEEs.</summary>
internal sealed class NitroTee : ITeeVerifier
{
    private const string Member = "attestation_document";
    private const string Structure = "Nitro evidence";

    public string Tee => "nitro";

    public IEnumerable<FindingExplanation> Explanations => NitroExplanations.All;

    public bool RecognisesBytes(ReadOnlySpan<byte> data)
    {
        // [<< {1: -35} >>, …], tagged or not, with the payload's first member close behind.
        var start = data.StartsWith((ReadOnlySpan<byte>)[0xD2]) ? 1 : 0;
        return data[start..].StartsWith((ReadOnlySpan<byte>)[0x84, 0x44, 0xA1, 0x01, 0x38, 0x22])
            && data[..Math.Min(data.Length, 64)].IndexOf("module_id"u8) > 0;
    }

    public bool RecognisesJson(JsonElement evidence) =>
        evidence.ValueKind == JsonValueKind.Object && evidence.TryGetProperty(Member, out _);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict) =>
        NitroVerifier.Verify(Bytes(evidence), binding, options, verdict);

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var message = CoseSign1.Parse(Bytes(evidence));
        var document = NitroDocumentReader.Parse(message.Payload);
        yield return new("cose.algorithm", -1, -1, message.AlgorithmName);
        yield return new("module_id", -1, -1, document.ModuleId, "instance and enclave");
        yield return new("digest", -1, -1, document.Digest, "hash of the registers");
        yield return new("timestamp", -1, -1, Timestamp.Format(document.Timestamp));
        foreach (var (index, value) in document.Pcrs)
            yield return Field($"pcrs.pcr{index}", value, Meaning(index));
        yield return Field("public_key", document.PublicKey, "for answers to the enclave");
        yield return Field("user_data", document.UserData, "chosen by the enclave");
        yield return Field("nonce", document.Nonce, "chosen by whoever asked");
        yield return Field("certificate", document.Certificate, "DER");
        for (var i = 0; i < document.CaBundle.Length; i++)
            yield return Field($"cabundle.{i}", document.CaBundle[i], i == 0 ? "the root, as the enclave says" : "DER");
        yield return Field("cose.signature", message.Signature, "r and s");
    }

    private static ReadOnlyMemory<byte> Bytes(Evidence evidence) => evidence.Json is { } json
        ? EvidenceJson.RequireBase64(json, Member, Structure)
        : evidence.Bytes.IsEmpty ? throw new MalformedDataException(Structure, 0, "it is empty") : evidence.Bytes;

    private static EvidenceField Field(string path, ReadOnlyMemory<byte>? value, string? meaning) => value is { } bytes
        ? new(path, -1, bytes.Length, Convert.ToHexStringLower(bytes.Span), meaning)
        : new(path, -1, 0, "(none)", meaning);

    private static string? Meaning(int index) => index switch
    {
        0 => "the enclave image file",
        1 => "kernel and bootstrap",
        2 => "the application",
        3 => "IAM role of the parent instance",
        4 => "the parent instance's identity",
        8 => "the key that signed the image",
        _ => null,
    };
}
