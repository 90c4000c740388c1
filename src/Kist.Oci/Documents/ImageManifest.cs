using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>An image manifest: a configuration and layers, lowest first (OCI image specification 1.1, manifest.md).</summary>
public sealed record ImageManifest
{
    /// <summary>Always 2.</summary>
    [JsonPropertyOrder(0)]
    public int SchemaVersion { get; init; } = 2;

    /// <summary>Media type of the manifest; may be missing in an OCI manifest.</summary>
    [JsonPropertyOrder(1)]
    public string? MediaType { get; init; }

    /// <summary>The type of artifact, where this is no ordinary image; else null.</summary>
    [JsonPropertyOrder(2)]
    public string? ArtifactType { get; init; }

    /// <summary>The configuration.</summary>
    [JsonPropertyOrder(3)]
    public required Descriptor Config { get; init; }

    /// <summary>The layers, lowest first.</summary>
    [JsonPropertyOrder(4)]
    public required IReadOnlyList<Descriptor> Layers { get; init; }

    /// <summary>The manifest that this one speaks about (a signature's image), or null.</summary>
    [JsonPropertyOrder(5)]
    public Descriptor? Subject { get; init; }

    /// <summary>Annotations, or null.</summary>
    [JsonPropertyOrder(6)]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Fields that are not known here.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }

    /// <summary>Reads a manifest, of OCI or of Docker schema 2.</summary>
    /// <exception cref="MalformedDataException">It is no manifest, a field is missing or doubled, or a limit is exceeded.</exception>
    public static ImageManifest Parse(ReadOnlySpan<byte> json)
    {
        var manifest = OciJson.Parse(json, OciJson.Context.ImageManifest, "image manifest");
        if (manifest.SchemaVersion != 2)
            throw new MalformedDataException("image manifest", -1, $"schemaVersion is {manifest.SchemaVersion}, not 2");
        if (manifest.MediaType is { } type && !MediaTypes.IsManifest(type))
            throw new MalformedDataException("image manifest", -1, $"mediaType is '{type}'");
        if (manifest.Layers.Count > OciLimits.MaxLayers)
            throw new MalformedDataException("image manifest", -1, $"{manifest.Layers.Count} layers, more than {OciLimits.MaxLayers}");
        OciJson.Check(manifest.Config, "config");
        foreach (var layer in manifest.Layers)
            OciJson.Check(layer, "layer");
        return manifest;
    }

    /// <summary>The manifest as JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, OciJson.Context.ImageManifest);
}
