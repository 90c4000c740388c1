using System.Text.Json;

namespace Kist.Pods.Protocol;

/// <summary>What the sealed manifest of an image says, and who signed it (docs/sealed-images.md).</summary>
/// <param name="Revision">Counts up with the image's releases; 0 if nobody counts.</param>
/// <param name="Author">RFC 7638 thumbprint of the key whose signature was verified; empty if it is not signed.</param>
public sealed record SealedInput(long Revision, string Author)
{
    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("sealed");
        json.WriteNumber("revision", Revision);
        json.WriteString("author", Author);
        json.WriteEndObject();
    }
}
