using System.Text.Json;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Signatures;

/// <summary>
/// The in-toto statement (version 1) by which cosign signs an image in a bundle: its subject is the manifest's digest. It names
/// no repository.
/// </summary>
static class SignedStatement
{
    /// <summary>What cosign attests when it signs an image.</summary>
    public const string CosignPredicate = "https://sigstore.dev/cosign/sign/v1";

    private const string Type = "https://in-toto.io/Statement/v1";
    private const string Structure = "signed statement";

    /// <summary>The manifests that a statement signs. Verify the signature first.</summary>
    /// <exception cref="MalformedDataException">It is no statement, or says something else of them than that they are signed.</exception>
    public static IReadOnlyList<Digest> Parse(ReadOnlySpan<byte> json)
    {
        using var document = StrictJson.ParseObject(json, SigstoreBundle.MaxBytes, Structure, maxDepth: 32);
        var root = document.RootElement;
        if (StrictJson.RequiredText(root, "_type", Structure) != Type)
            throw new MalformedDataException(Structure, -1, $"it is no {Type}");
        if (StrictJson.RequiredText(root, "predicateType", Structure) is var predicate && predicate != CosignPredicate)
            throw new MalformedDataException(Structure, -1, $"it attests '{predicate}', and is no signature of the image");
        if (!root.TryGetProperty("subject", out var subjects) || subjects.ValueKind != JsonValueKind.Array)
            throw new MalformedDataException(Structure, -1, "the list 'subject' is missing");
        return [.. subjects.EnumerateArray().Select(ReadDigest)];
    }

    /// <summary>Writes a statement.</summary>
    public static byte[] Write(Digest manifest)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("_type", Type);
            json.WriteStartArray("subject");
            json.WriteStartObject();
            json.WriteStartObject("digest");
            json.WriteString(manifest.Algorithm, manifest.Hex);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("predicateType", CosignPredicate);
            json.WriteStartObject("predicate");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static Digest ReadDigest(JsonElement subject) =>
        subject.ValueKind == JsonValueKind.Object && subject.TryGetProperty("digest", out var digests) && digests.ValueKind == JsonValueKind.Object
        && digests.TryGetProperty("sha256", out var digest) && digest.ValueKind == JsonValueKind.String
            ? Digest.Parse("sha256:" + digest.GetString())
            : throw new MalformedDataException(Structure, -1, "a subject has no digest");
}
