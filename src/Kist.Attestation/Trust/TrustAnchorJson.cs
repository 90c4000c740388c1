using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>
/// A trust anchor as a file, for roots that are not built in: {"vendor": "intel", "name": …, "spki_sha256": hexadecimal,
/// "is_simulated": boolean, "source": …}.
/// </summary>
public static class TrustAnchorJson
{
    private const string Structure = "trust anchor";
    private const int MaximumSize = 4096;

    /// <summary>Writes an anchor.</summary>
    public static byte[] Write(TrustAnchor anchor)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("vendor", anchor.Vendor);
            writer.WriteString("name", anchor.Name);
            writer.WriteString("spki_sha256", Convert.ToHexStringLower(anchor.SpkiSha256.AsSpan()));
            writer.WriteBoolean("is_simulated", anchor.IsSimulated);
            writer.WriteString("source", anchor.Source);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>Reads an anchor. Every member must be there: an anchor that does not say whether it is simulated is none.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static TrustAnchor Parse(ReadOnlyMemory<byte> json)
    {
        if (json.Length > MaximumSize)
            throw new MalformedDataException(Structure, -1, $"{json.Length} bytes are more than the limit of {MaximumSize}");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 2, AllowDuplicateProperties = false });
            var root = document.RootElement;
            var spki = Convert.FromHexString(Text(root, "spki_sha256"));
            if (spki.Length != 32)
                throw new MalformedDataException(Structure, -1, $"spki_sha256 is {spki.Length} bytes, not 32");
            return new TrustAnchor(
                Text(root, "vendor"), Text(root, "name"), ImmutableArray.Create(spki), root.GetProperty("is_simulated").GetBoolean(), Text(root, "source"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException || (e is FormatException and not MalformedDataException))
        {
            throw new MalformedDataException(Structure, -1, "it is not the JSON that was expected", e);
        }
    }

    private static string Text(JsonElement root, string name) =>
        root.GetProperty(name).GetString() is { Length: > 0 } text ? text : throw new MalformedDataException(Structure, -1, $"{name} is empty");
}
