using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Nvidia;

/// <summary>One device's report with its certificates, PEM, and what the guest calls the device.</summary>
/// <param name="Architecture">"HOPPER", "BLACKWELL", "LS10" …, as the guest says; empty if it does not.</param>
/// <param name="Uuid">As the guest says; empty if it does not.</param>
/// <param name="Report">The report's bytes.</param>
/// <param name="Certificates">PEM or DER, in any order.</param>
internal sealed record NvidiaEvidence(string Architecture, string Uuid, ReadOnlyMemory<byte> Report, ReadOnlyMemory<byte> Certificates)
{
    /// <summary>The most devices of one piece of evidence.</summary>
    public const int DeviceLimit = 64;

    private const string Structure = "NVIDIA evidence";

    /// <summary>Reads a bare report with certificates beside it, or Trustee's JSON {device_evidence_list: […]}.</summary>
    public static List<NvidiaEvidence> Read(Evidence evidence)
    {
        if (evidence.Json is not { } json)
            return [new NvidiaEvidence("", "", evidence.Bytes, evidence.Certificates)];
        var list = EvidenceJson.Require(json, "device_evidence_list", Structure);
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > DeviceLimit)
            throw new MalformedDataException(Structure, -1, $"device_evidence_list must be an array of 1 to {DeviceLimit}");
        return [.. list.EnumerateArray().Select(ReadDevice)];
    }

    private static NvidiaEvidence ReadDevice(JsonElement device) => new(
        EvidenceJson.Optional(device, "arch", Structure) is null ? "" : EvidenceJson.RequireString(device, "arch", Structure),
        EvidenceJson.Optional(device, "uuid", Structure) is null ? "" : EvidenceJson.RequireString(device, "uuid", Structure),
        // Base64 now, hexadecimal from older guests. A report's first bytes are 11e0, which as base64 give D7 5D 1E.
        IsHex(EvidenceJson.RequireString(device, "evidence", Structure))
            ? EvidenceJson.RequireHex(device, "evidence", Structure)
            : EvidenceJson.RequireBase64(device, "evidence", Structure),
        EvidenceJson.RequireBase64(device, "certificate", Structure));

    private static bool IsHex(string text) => text.StartsWith("11e0", StringComparison.OrdinalIgnoreCase);
}
