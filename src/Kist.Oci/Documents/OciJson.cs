using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// JSON of the documents of an image: unknown fields are tolerated and kept, as the specification asks; doubled fields
/// are refused, for two readers could then see two different images under one digest.
/// </summary>
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageConfiguration))]
[JsonSerializable(typeof(Descriptor))]
[JsonSerializable(typeof(LayoutMarker))]
[JsonSerializable(typeof(List<DockerArchiveItem>))]
[JsonSerializable(typeof(RegistryErrorBody))]
[JsonSerializable(typeof(RegistryTokenBody))]
[JsonSerializable(typeof(TagList))]
[JsonSerializable(typeof(AuthFile))]
[JsonSerializable(typeof(CredentialHelperAnswer))]
sealed partial class OciJson : JsonSerializerContext
{
    /// <summary>The context that every reader and writer here uses.</summary>
    public static OciJson Context { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 32,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    });

    public static T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, string structure)
        where T : class => StrictJson.Deserialize(json, type, OciLimits.MaxDocumentBytes, structure);

    public static void Check(Descriptor descriptor, string field)
    {
        if (descriptor is null)
            throw new MalformedDataException("descriptor", -1, $"{field} is null");
        if (descriptor.Size is < 0 or > OciLimits.MaxBlobBytes)
            throw new MalformedDataException("descriptor", -1, $"size of {field} is {descriptor.Size}");
        if (descriptor.MediaType is null or { Length: 0 or > 255 })
            throw new MalformedDataException("descriptor", -1, $"media type of {field} is missing or too long");
        if (descriptor.Digest == default)
            throw new MalformedDataException("descriptor", -1, $"digest of {field} is missing");
    }
}
