using System.Text.Json;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>
/// The files of Linux's configfs-tsm (outblob, auxblob, provider) as Veraison's agents send them: a JSON object with base64url,
/// a CBOR map, or the JSON inside a conceptual message wrapper of ratsd ({"cmw": base64url of {"tsm-report": [type, base64url]}}).
/// </summary>
/// <param name="Report">outblob: the report.</param>
/// <param name="Certificates">auxblob: the certificate table; empty if there is none.</param>
internal sealed record SnpTsmReport(ReadOnlyMemory<byte> Report, ReadOnlyMemory<byte> Certificates)
{
    private const string Structure = "TSM report";
    private const string Provider = "sev_guest";

    /// <summary>True if a CBOR map of text keys has an outblob near its beginning.</summary>
    public static bool IsCbor(ReadOnlySpan<byte> data) => data is [0xA2 or 0xA3, 0x67 or 0x68, ..]
        && (data[2..].StartsWith("auxblob"u8) || data[2..].StartsWith("outblob"u8) || data[2..].StartsWith("provider"u8));

    /// <summary>The object with outblob, unwrapped if need be; null if this JSON is something else.</summary>
    public static JsonElement? Find(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        if (json.TryGetProperty("outblob", out _))
            return json;
        return json.TryGetProperty("cmw", out var wrapper) && wrapper.ValueKind == JsonValueKind.String ? Unwrap(wrapper.GetString()!) : null;
    }

    public static SnpTsmReport ReadJson(JsonElement json)
    {
        if (EvidenceJson.Optional(json, "provider", Structure) is not null && EvidenceJson.RequireString(json, "provider", Structure).Trim() != Provider)
            throw new MalformedDataException(Structure, -1, $"its provider is not {Provider}");
        return new SnpTsmReport(
            EvidenceJson.RequireBase64Url(json, "outblob", Structure),
            EvidenceJson.Optional(json, "auxblob", Structure) is null ? default(ReadOnlyMemory<byte>) : EvidenceJson.RequireBase64Url(json, "auxblob", Structure));
    }

    public static SnpTsmReport ReadCbor(ReadOnlyMemory<byte> cbor) => CborInput.Read(cbor, Structure, reader =>
    {
        byte[]? report = null;
        byte[] certificates = [];
        CborInput.ReadMap(reader, r =>
        {
            switch (r.ReadTextString())
            {
                case "outblob": report = r.ReadByteString(); break;
                case "auxblob": certificates = r.ReadByteString(); break;
                case "provider" when r.ReadTextString().Trim() != Provider: throw new MalformedDataException(Structure, -1, $"its provider is not {Provider}");
                case "provider": break;
                default: r.SkipValue(); break;
            }
        });
        return new SnpTsmReport(report ?? throw new MalformedDataException(Structure, -1, "outblob is missing"), certificates);
    });

    private static JsonElement? Unwrap(string text)
    {
        using var wrapper = Parse(text);
        if (wrapper is null || !wrapper.RootElement.TryGetProperty("tsm-report", out var pair) || pair.ValueKind != JsonValueKind.Array
            || pair.GetArrayLength() < 2 || pair[1].ValueKind != JsonValueKind.String)
            return null;
        using var inner = Parse(pair[1].GetString()!);
        return inner is not null && inner.RootElement.TryGetProperty("outblob", out _) ? inner.RootElement.Clone() : null;
    }

    private static JsonDocument? Parse(string text)
    {
        try
        {
            return StrictJson.ParseObject(Base64Url.Decode(text.TrimEnd('='), EvidenceLimits.SignedJson, Structure), EvidenceLimits.SignedJson, Structure);
        }
        catch (MalformedDataException)
        {
            return null;
        }
    }
}
