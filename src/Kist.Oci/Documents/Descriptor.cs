using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kist.Oci;

/// <summary>
/// What a piece of content is, how long, and its digest (OCI image specification 1.1, descriptor.md). Unknown fields
/// are kept, so that a manifest can be rewritten without loss.
/// </summary>
public sealed record Descriptor
{
    /// <summary>Media type of the content.</summary>
    [JsonPropertyOrder(0)]
    public required string MediaType { get; init; }

    /// <summary>Digest of the content.</summary>
    [JsonPropertyOrder(1)]
    public required Digest Digest { get; init; }

    /// <summary>Length of the content in bytes.</summary>
    [JsonPropertyOrder(2)]
    public required long Size { get; init; }

    /// <summary>Other places to fetch it from. They are never used here: a manifest must not choose whom a guest talks to.</summary>
    [JsonPropertyOrder(3)]
    public IReadOnlyList<string>? Urls { get; init; }

    /// <summary>Annotations, or null.</summary>
    [JsonPropertyOrder(4)]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The content itself in base64, or null.</summary>
    [JsonPropertyOrder(5)]
    public string? Data { get; init; }

    /// <summary>The platform that the content is for, in an index; else null.</summary>
    [JsonPropertyOrder(6)]
    public Platform? Platform { get; init; }

    /// <summary>The type of an artifact's manifest, or null.</summary>
    [JsonPropertyOrder(7)]
    public string? ArtifactType { get; init; }

    /// <summary>Fields that are not known here.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }
}

/// <summary>A platform in an index or configuration.</summary>
public sealed record Platform
{
    /// <summary>CPU architecture in Go's words: amd64, arm64, …</summary>
    public required string Architecture { get; init; }

    /// <summary>Operating system: linux, …</summary>
    public required string Os { get; init; }

    /// <summary>Variant of the CPU, such as v8, or null.</summary>
    public string? Variant { get; init; }

    /// <summary>Fields that are not known here.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }

    /// <summary>The platform that this process runs on.</summary>
    public static Platform Current { get; } = new()
    {
        Os = "linux",
        Architecture = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
            System.Runtime.InteropServices.Architecture.S390x => "s390x",
            System.Runtime.InteropServices.Architecture.Ppc64le => "ppc64le",
            System.Runtime.InteropServices.Architecture.RiscV64 => "riscv64",
            var other => other.ToString().ToLowerInvariant(),
        },
    };

    /// <summary>os/architecture[/variant].</summary>
    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    /// <summary>Reads os/architecture[/variant].</summary>
    public static Platform Parse(string text) => text.Split('/') switch
    {
        [{ Length: > 0 } os, { Length: > 0 } architecture] => new Platform { Os = os, Architecture = architecture },
        [{ Length: > 0 } os, { Length: > 0 } architecture, { Length: > 0 } variant] =>
            new Platform { Os = os, Architecture = architecture, Variant = variant },
        _ => throw new Formats.MalformedDataException("platform", -1, $"not os/architecture[/variant]: '{text}'"),
    };
}
