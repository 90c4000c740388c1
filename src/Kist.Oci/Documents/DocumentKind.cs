using System.Text.Json;

namespace Kist.Oci;

/// <summary>Tells manifests from indexes by their content.</summary>
static class DocumentKind
{
    /// <summary>
    /// The document's own media type: its "mediaType", or what its members show. Null if it shows nothing. A document that
    /// has both "manifests" and "layers" is refused: two readers could take it for two different things.
    /// </summary>
    public static string? MediaTypeOf(ReadOnlySpan<byte> json)
    {
        string? said = null;
        bool manifests = false, layers = false;
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isMediaType = reader.ValueTextEquals("mediaType"u8);
                manifests |= reader.ValueTextEquals("manifests"u8);
                layers |= reader.ValueTextEquals("layers"u8) || reader.ValueTextEquals("config"u8);
                reader.Read();
                if (isMediaType && reader.TokenType == JsonTokenType.String)
                    said = reader.GetString();
                reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new Formats.MalformedDataException("image manifest", -1, "no JSON object", e);
        }

        if (manifests && layers)
            throw new Formats.MalformedDataException("image manifest", -1, "both an index and a manifest");
        return said ?? (manifests ? MediaTypes.Index : layers ? MediaTypes.Manifest : null);
    }
}
