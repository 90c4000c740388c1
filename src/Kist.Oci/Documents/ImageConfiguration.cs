using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>An image's configuration (OCI image specification 1.1, config.md).</summary>
public sealed record ImageConfiguration
{
    /// <summary>When the image was made, RFC 3339, or null.</summary>
    public string? Created { get; init; }

    /// <summary>CPU architecture in Go's words.</summary>
    public string Architecture { get; init; } = "";

    /// <summary>Operating system.</summary>
    public string Os { get; init; } = "";

    /// <summary>Variant of the CPU, or null.</summary>
    public string? Variant { get; init; }

    /// <summary>How to run a container of this image, or null.</summary>
    public ContainerConfiguration? Config { get; init; }

    /// <summary>The layers' digests, uncompressed.</summary>
    public required RootFileSystemDigests Rootfs { get; init; }

    /// <summary>How the layers came about, or null.</summary>
    public IReadOnlyList<HistoryEntry>? History { get; init; }

    /// <summary>Fields that are not known here.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }

    /// <summary>Reads a configuration, of OCI or of Docker.</summary>
    /// <exception cref="MalformedDataException">It is none, or a limit is exceeded.</exception>
    public static ImageConfiguration Parse(ReadOnlySpan<byte> json)
    {
        var configuration = OciJson.Parse(json, OciJson.Context.ImageConfiguration, "image configuration");
        if (configuration.Rootfs.Type != "layers")
            throw new MalformedDataException("image configuration", -1, $"rootfs.type is '{configuration.Rootfs.Type}', not 'layers'");
        if (configuration.Rootfs.DiffIds.Count > OciLimits.MaxLayers)
            throw new MalformedDataException("image configuration", -1, "too many layers");
        return configuration;
    }

    /// <summary>The configuration as JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, OciJson.Context.ImageConfiguration);
}

/// <summary>How to run a container. The member names in JSON begin with capitals (config.md, properties of "config").</summary>
public sealed record ContainerConfiguration
{
    /// <summary>"user", "uid", "user:group" or "uid:gid"; null or empty means root.</summary>
    [JsonPropertyName("User")]
    public string? User { get; init; }

    /// <summary>Environment, NAME=VALUE, or null.</summary>
    [JsonPropertyName("Env")]
    public IReadOnlyList<string>? Environment { get; init; }

    /// <summary>The command's fixed beginning, or null.</summary>
    [JsonPropertyName("Entrypoint")]
    public IReadOnlyList<string>? EntryPoint { get; init; }

    /// <summary>Default arguments, or the command if there is no entry point; or null.</summary>
    [JsonPropertyName("Cmd")]
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Working directory; null or empty means "/".</summary>
    [JsonPropertyName("WorkingDir")]
    public string? WorkingDirectory { get; init; }

    /// <summary>Labels, or null.</summary>
    [JsonPropertyName("Labels")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Signal that asks the program to stop, or null for SIGTERM.</summary>
    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }

    /// <summary>Fields that are not used here: ExposedPorts, Volumes, Healthcheck, …</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }
}

/// <summary>The digests of the uncompressed layers, lowest first.</summary>
public sealed record RootFileSystemDigests
{
    /// <summary>Always "layers".</summary>
    public string Type { get; init; } = "layers";

    /// <summary>One digest a layer.</summary>
    [JsonPropertyName("diff_ids")]
    public required IReadOnlyList<Digest> DiffIds { get; init; }
}

/// <summary>One step of an image's history.</summary>
public sealed record HistoryEntry
{
    /// <summary>When, RFC 3339, or null.</summary>
    public string? Created { get; init; }

    /// <summary>By which command, or null.</summary>
    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    /// <summary>True if this step made no layer.</summary>
    [JsonPropertyName("empty_layer")]
    public bool? EmptyLayer { get; init; }

    /// <summary>A comment, or null.</summary>
    public string? Comment { get; init; }

    /// <summary>Fields that are not known here.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }
}
