using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Images;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>Prints results of image commands, as text or as JSON.</summary>
static class ImageOutput
{
    public static Option<bool> JsonOption() => new("--json") { Description = "Print JSON." };

    public static void PrintCopied(string location, Descriptor descriptor, bool json)
    {
        if (json)
            Print(new CopiedOutput(location, descriptor.Digest.ToString(), descriptor.MediaType, descriptor.Size), ImageJson.Output.CopiedOutput);
        else
            Console.Out.WriteLine(descriptor.Digest);
    }

    public static void Print<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        Console.Out.WriteLine(JsonSerializer.Serialize(value, type));
}

sealed record CopiedOutput(string Location, string Digest, string MediaType, long Size);

sealed record InspectOutput(
    string Location, string Digest, string ManifestDigest, string MediaType, string Platform, bool Encrypted, IReadOnlyList<LayerOutput> Layers,
    ContainerConfiguration? Config, string? Created);

sealed record LayerOutput(string Digest, string MediaType, long Size, string DiffId, bool Encrypted, IReadOnlyList<RecipientOutput> Recipients);

sealed record RecipientOutput(string Scheme, string? Key);

sealed record EncryptedOutput(
    string Location, string Digest, string MediaType, string? Key, bool Proven, IReadOnlyList<EncryptedPlatformOutput> Images, IReadOnlyList<string> LeftOut);

sealed record EncryptedPlatformOutput(string Platform, string ManifestDigest, IReadOnlyList<EncryptedLayerOutput> Layers);

sealed record EncryptedLayerOutput(string Digest, long Size, string DiffId, bool Encrypted);

sealed record SealedOutput(string Location, string Digest, string Source, string Key, IReadOnlyList<BlobOutput> Blobs, long NewBytes);

sealed record VerifiedOutput(string Image, string Digest, bool Accepted, IReadOnlyList<FindingOutput> Findings);

sealed record FindingOutput(string Requirement, bool Met, string Reason);

sealed record BlobOutput(string Digest, long Size);

sealed record CacheEntryOutput(string Digest, long Bytes, long Length, bool Whole, bool InUse, DateTimeOffset LastUsed);

sealed record UnpackedOutput(
    string RootFileSystem, string ManifestDigest, int Layers, int EncryptedLayers, long Entries, long ContentBytes, long SkippedDevices,
    long SkippedAttributes, bool OwnersKept, ContainerConfiguration? Config);

[JsonSerializable(typeof(CopiedOutput))]
[JsonSerializable(typeof(InspectOutput))]
[JsonSerializable(typeof(EncryptedOutput))]
[JsonSerializable(typeof(SealedOutput))]
[JsonSerializable(typeof(UnpackedOutput))]
[JsonSerializable(typeof(VerifiedOutput))]
[JsonSerializable(typeof(IReadOnlyList<CacheEntryOutput>))]
sealed partial class ImageJson : JsonSerializerContext
{
    public static ImageJson Output { get; } = new(OutputJson.CreateOptions());
}
