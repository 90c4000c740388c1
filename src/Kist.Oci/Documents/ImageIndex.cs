using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>An index of manifests (OCI image specification 1.1, image-index.md) or a Docker manifest list.</summary>
public sealed record ImageIndex
{
    /// <summary>Always 2.</summary>
    [JsonPropertyOrder(0)]
    public int SchemaVersion { get; init; } = 2;

    /// <summary>Media type of the index; may be missing.</summary>
    [JsonPropertyOrder(1)]
    public string? MediaType { get; init; }

    /// <summary>The type of artifact, or null.</summary>
    [JsonPropertyOrder(2)]
    public string? ArtifactType { get; init; }

    /// <summary>The manifests.</summary>
    [JsonPropertyOrder(3)]
    public required IReadOnlyList<Descriptor> Manifests { get; init; }

    /// <summary>Annotations, or null.</summary>
    [JsonPropertyOrder(4)]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Fields that are not known here.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }

    /// <summary>Reads an index.</summary>
    /// <exception cref="MalformedDataException">It is no index, a field is missing or doubled, or a limit is exceeded.</exception>
    public static ImageIndex Parse(ReadOnlySpan<byte> json)
    {
        var index = OciJson.Parse(json, OciJson.Context.ImageIndex, "image index");
        if (index.SchemaVersion != 2)
            throw new MalformedDataException("image index", -1, $"schemaVersion is {index.SchemaVersion}, not 2");
        if (index.MediaType is { } type && !MediaTypes.IsIndex(type))
            throw new MalformedDataException("image index", -1, $"mediaType is '{type}'");
        if (index.Manifests.Count > OciLimits.MaxManifests)
            throw new MalformedDataException("image index", -1, $"{index.Manifests.Count} manifests, more than {OciLimits.MaxManifests}");
        foreach (var manifest in index.Manifests)
            OciJson.Check(manifest, "manifest");
        return index;
    }

    /// <summary>The index as JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, OciJson.Context.ImageIndex);

    /// <summary>
    /// The manifest for a platform: same operating system and architecture; of several, the one of the same variant,
    /// else the first. Null if there is none. Attestation entries ("unknown/unknown") never match.
    /// </summary>
    public Descriptor? Select(Platform platform)
    {
        var candidates = Manifests.Where(m => m.Platform is { } p && p.Os == platform.Os && p.Architecture == platform.Architecture).ToList();
        return candidates.Find(m => m.Platform!.Variant == platform.Variant) ?? candidates.FirstOrDefault();
    }
}
