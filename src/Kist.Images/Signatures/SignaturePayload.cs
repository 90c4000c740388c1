using System.Text.Json;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Signatures;

/// <summary>
/// What a simple signature or a cosign signature signs (containers-signature(5)): a manifest's digest and a name, under
/// "critical"; unknown members there are refused, and "optional" is ignored.
/// </summary>
/// <param name="ManifestDigest">The manifest.</param>
/// <param name="Reference">The name.</param>
public sealed record SignaturePayload(Digest ManifestDigest, string Reference)
{
    /// <summary>The type of simple signatures.</summary>
    public const string SimpleType = "atomic container signature";

    /// <summary>The type of cosign signatures.</summary>
    public const string CosignType = "cosign container image signature";

    /// <summary>Largest payload.</summary>
    public const int MaxBytes = 64 * 1024;

    private const string Structure = "signature payload";

    /// <summary>Reads a payload of a type. Verify the signature over <paramref name="json"/> first.</summary>
    public static SignaturePayload Parse(ReadOnlySpan<byte> json, string type)
    {
        using var document = StrictJson.ParseObject(json, MaxBytes, Structure, maxDepth: 16);
        Only(document.RootElement, "critical", "optional");
        var critical = Member(document.RootElement, "critical");
        Only(critical, "type", "image", "identity");
        if (StrictJson.RequiredText(critical, "type", Structure) is var actual && actual != type)
            throw new MalformedDataException(Structure, -1, $"its type is '{actual}', not '{type}'");
        var image = Member(critical, "image");
        Only(image, "docker-manifest-digest");
        var identity = Member(critical, "identity");
        Only(identity, "docker-reference");
        return new SignaturePayload(
            Digest.Parse(StrictJson.RequiredText(image, "docker-manifest-digest", Structure)), StrictJson.RequiredText(identity, "docker-reference", Structure));
    }

    /// <summary>Writes a payload of a type.</summary>
    public byte[] ToBytes(string type)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject("critical");
            json.WriteStartObject("identity");
            json.WriteString("docker-reference", Reference);
            json.WriteEndObject();
            json.WriteStartObject("image");
            json.WriteString("docker-manifest-digest", ManifestDigest.ToString());
            json.WriteEndObject();
            json.WriteString("type", type);
            json.WriteEndObject();
            json.WriteStartObject("optional");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static JsonElement Member(JsonElement json, string name) =>
        json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object
            ? member
            : throw new MalformedDataException(Structure, -1, $"the object '{name}' is missing");

    private static void Only(JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var member in json.EnumerateObject())
        {
            if (!names.Contains(member.Name))
                throw new MalformedDataException(Structure, -1, $"the member '{member.Name}' is not known");
        }
    }
}
