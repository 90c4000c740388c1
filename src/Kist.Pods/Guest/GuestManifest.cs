using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Pods.Guest;

/// <summary>What a guest image was made of and what came out: manifest.json beside it.</summary>
public sealed record GuestManifest
{
    /// <summary>The layout of this document.</summary>
    public const string CurrentFormat = "kist-guest-1";

    /// <summary><see cref="CurrentFormat"/>.</summary>
    public required string Format { get; init; }

    /// <summary>The kernel's release, such as "6.1.0-56-cloud-amd64".</summary>
    public required string KernelRelease { get; init; }

    /// <summary>The kernel's command line; it is measured.</summary>
    public required string CommandLine { get; init; }

    /// <summary>The three files.</summary>
    public required GuestOutput Firmware { get; init; }

    /// <inheritdoc cref="Firmware"/>
    public required GuestOutput Kernel { get; init; }

    /// <inheritdoc cref="Firmware"/>
    public required GuestOutput Initrd { get; init; }

    /// <summary>Debian packages and our own programs, sorted by name.</summary>
    public required IReadOnlyList<GuestInput> Inputs { get; init; }

    /// <summary>Kernel modules in the order of loading.</summary>
    public required IReadOnlyList<string> Modules { get; init; }

    /// <summary>What launches of some sizes measure, on the simulated platform; <c>kist run</c> predicts for its own size.</summary>
    public required IReadOnlyList<GuestMeasurement> Measurements { get; init; }

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="MalformedDataException">It is not one.</exception>
    public static GuestManifest Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(json, GuestManifestJson.Default.GuestManifest)
                ?? throw new MalformedDataException("guest manifest", 0, "is null");
            return manifest.Format == CurrentFormat
                ? manifest
                : throw new MalformedDataException("guest manifest", -1, $"format is '{manifest.Format}', not '{CurrentFormat}'");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException("guest manifest", e.BytePositionInLine ?? -1, "is not the JSON expected", e);
        }
    }

    /// <summary>Writes the manifest: the same bytes for the same content.</summary>
    public byte[] ToJson() => [.. JsonSerializer.SerializeToUtf8Bytes(this, GuestManifestJson.Default.GuestManifest), (byte)'\n'];
}

/// <summary>A file of a guest image.</summary>
/// <param name="File">Its name in the image's folder.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record GuestOutput(string File, long Size, string Sha256);

/// <summary>Something that a guest image was made from.</summary>
/// <param name="Name">The Debian package or our program.</param>
/// <param name="Version">Its version.</param>
/// <param name="Sha256">Of the package file or the program; lower-case hex.</param>
public sealed record GuestInput(string Name, string Version, string Sha256);

/// <summary>The registers of a TDX launch, lower-case hex.</summary>
/// <param name="MemoryMebibytes">The guest's memory, which is part of what is measured.</param>
/// <param name="MrTd">The firmware.</param>
/// <param name="Rtmr0">Firmware configuration; without the ACPI tables, which only QEMU knows.</param>
/// <param name="Rtmr1">The kernel.</param>
/// <param name="Rtmr2">Command line and initrd.</param>
public sealed record GuestMeasurement(int MemoryMebibytes, string MrTd, string Rtmr0, string Rtmr1, string Rtmr2);

[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(GuestManifest))]
internal sealed partial class GuestManifestJson : JsonSerializerContext;
