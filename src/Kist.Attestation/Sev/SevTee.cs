using System.Buffers.Binary;
using System.Text.Json;

namespace Kist.Attestation.Sev;

/// <summary>SEV and SEV-ES, before SNP, in the table of TEEs.</summary>
internal sealed class SevTee : ITeeVerifier
{
    public string Tee => "sev";

    public IEnumerable<FindingExplanation> Explanations =>
    [
        new("sev.chain", "the platform's keys descend from AMD's root",
            "ARK signs ASK, ASK signs the chip's key (CEK), the chip's key and the owner's authority (OCA) sign the platform's key "
            + "(PEK), and that signs the Diffie-Hellman key (PDH) to which a guest's session is sealed.", SevVerifier.Spec),
        new("sev.launch", "the guest is the one that its owner expects",
            "The launch measurement is an HMAC under a key that only the guest's owner and the firmware know. It is checked while the "
            + "guest waits for its secret, and proves nothing to anyone else.", "AMD 55766 section 6.5"),
        new("sev.chip.allowed", "the chip is on the list of allowed ones", "The TCB policy names chips by the SHA-256 of their CEK."),
        new("sev.binding", "a SEV chain binds nothing", "There is no field for a request's value. SEV-SNP has one."),
        new("sev.simulated", "the chain is of real hardware", "The chain ends at the root of a simulated platform."),
    ];

    public bool RecognisesBytes(ReadOnlySpan<byte> data) => data.Length >= 4 * SevCertificate.Size
        && BinaryPrimitives.ReadUInt32LittleEndian(data) == 1
        && BinaryPrimitives.ReadUInt32LittleEndian(data[8..]) == (uint)SevKeyUsage.Pdh
        && BinaryPrimitives.ReadUInt32LittleEndian(data[(SevCertificate.Size + 8)..]) == (uint)SevKeyUsage.Pek;

    public bool RecognisesJson(JsonElement evidence) => evidence.ValueKind == JsonValueKind.Object
        && evidence.TryGetProperty("pdh", out _) && evidence.TryGetProperty("pek", out _) && evidence.TryGetProperty("cek", out _);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict) =>
        SevVerifier.Verify(SevChain.Read(evidence), binding, options, verdict);

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var chain = SevChain.Read(evidence);
        SevCertificate[] parts = [chain.Pdh, chain.Pek, chain.Oca, chain.Cek];
        for (var i = 0; i < parts.Length; i++)
        {
            var name = parts[i].Usage.ToString().ToLowerInvariant();
            var offset = evidence.Json is null ? i * SevCertificate.Size : 0;
            yield return new($"{name}.api", offset + 4, 2, $"{parts[i].ApiMajor}.{parts[i].ApiMinor}", "of the firmware that made it");
            yield return new($"{name}.key", offset + 0x10, 1028, Convert.ToHexStringLower(parts[i].Key?.SubjectPublicKeyInfo ?? []), $"algorithm {parts[i].Algorithm:x}h, as SubjectPublicKeyInfo");
            yield return new($"{name}.signed_by", offset + 0x414, 4, $"{parts[i].First.Usage}, {parts[i].Second.Usage}");
        }

        foreach (var authority in new[] { chain.Ask, chain.Ark })
        {
            if (authority is not null)
                yield return new($"{authority.Usage.ToString().ToLowerInvariant()}.key_id", -1, 16, Convert.ToHexStringLower(authority.KeyId.Span));
        }
    }
}
