using System.Formats.Cbor;
using System.Text.Json;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Psa;

/// <summary>
/// One measured piece of firmware in a PSA or CCA platform token (RFC 9783 section 4.4.1: 1 type, 2 measurement value,
/// 4 version, 5 signer id, 6 measurement description or hash).
/// </summary>
/// <param name="Type">measurement-type, such as "BL2"; null if absent.</param>
/// <param name="Value">measurement-value: 32, 48 or 64 bytes.</param>
/// <param name="Version">version; null if absent.</param>
/// <param name="SignerId">signer-id: 32, 48 or 64 bytes; empty if absent, which profile 1 allows.</param>
/// <param name="Description">measurement-desc or the hash's name; null if absent.</param>
public sealed record PsaSoftwareComponent(
    string? Type, ReadOnlyMemory<byte> Value, string? Version, ReadOnlyMemory<byte> SignerId, string? Description)
{
    private const string Structure = "PSA software component";

    internal static PsaSoftwareComponent Read(CborReader reader)
    {
        string? type = null, version = null, description = null;
        byte[] value = [], signer = [];
        CborInput.ReadMap(reader, r =>
        {
            switch (CborInput.ReadKey(r))
            {
                case "#1": type = r.ReadTextString(); break;
                case "#2": value = r.ReadByteString(); break;
                case "#4": version = r.ReadTextString(); break;
                case "#5": signer = r.ReadByteString(); break;
                case "#6": description = r.ReadTextString(); break;
                default: r.SkipValue(); break;
            }
        });
        if (value.Length is not (32 or 48 or 64))
            throw new MalformedDataException(Structure, -1, $"measurement-value is {value.Length} bytes, not 32, 48 or 64");
        if (signer.Length is not (0 or 32 or 48 or 64))
            throw new MalformedDataException(Structure, -1, $"signer-id is {signer.Length} bytes, not 32, 48 or 64");
        return new PsaSoftwareComponent(type, value, version, signer, description);
    }

    internal void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (Type is not null)
            writer.WriteString("measurement-type", Type);
        writer.WriteString("measurement-value", Convert.ToBase64String(Value.Span));
        writer.WriteString("signer-id", Convert.ToBase64String(SignerId.Span));
        if (Version is not null)
            writer.WriteString("version", Version);
        if (Description is not null)
            writer.WriteString("measurement-desc", Description);
        writer.WriteEndObject();
    }
}
