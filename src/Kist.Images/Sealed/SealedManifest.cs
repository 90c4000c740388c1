using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Sealed;

/// <summary>What a sealed image is: see docs/sealed-images.md. Whoever has it needs no other word about the image.</summary>
public sealed record SealedManifest
{
    /// <summary>The version of the format that is written and read here.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Most file systems that are stacked.</summary>
    public const int MaxFileSystems = 32;

    /// <summary>Most blobs of an image: each takes a slot of the guest's bus.</summary>
    public const int MaxBlobs = 16;

    /// <summary>Version of the format.</summary>
    public required int Version { get; init; }

    /// <summary>Counts up with the image's releases, so that a policy can refuse what is older; 0 if nobody counts.</summary>
    public required long Revision { get; init; }

    /// <summary>Digest of the image manifest that was sealed.</summary>
    public required Digest Source { get; init; }

    /// <summary>os/architecture.</summary>
    public required string Platform { get; init; }

    /// <summary>How to run it.</summary>
    public required ContainerConfiguration Config { get; init; }

    /// <summary>The file systems, lowest first; they are stacked by overlayfs. One is usual.</summary>
    public required IReadOnlyList<SealedFileSystem> FileSystems { get; init; }

    /// <summary>Every blob once, in the order of first use: what the artifact lists.</summary>
    [JsonIgnore]
    public IReadOnlyList<SealedBlob> Blobs => [.. FileSystems.SelectMany(f => f.Blobs).DistinctBy(b => b.Digest)];

    /// <summary>Reads a manifest.</summary>
    public static SealedManifest Parse(ReadOnlySpan<byte> json)
    {
        var manifest = SealedJson.Parse(json, SealedJson.Context.SealedManifest, "sealed manifest");
        if (manifest.Version != CurrentVersion)
            throw SealedFileSystem.Malformed($"version {manifest.Version} is not known, only {CurrentVersion}");
        if (manifest.Revision < 0)
            throw SealedFileSystem.Malformed($"revision {manifest.Revision}");
        if (manifest.FileSystems.Count is 0 or > MaxFileSystems)
            throw SealedFileSystem.Malformed($"{manifest.FileSystems.Count} file systems");
        foreach (var fileSystem in manifest.FileSystems)
            fileSystem.Check();
        if (manifest.Blobs.Count > MaxBlobs)
            throw SealedFileSystem.Malformed($"more than {MaxBlobs} blobs");
        return manifest;
    }

    /// <summary>The JSON. The caller wipes it: it holds keys.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, SealedJson.Context.SealedManifest);

    /// <summary>Wipes the keys of all blobs.</summary>
    public void WipeKeys()
    {
        foreach (var blob in FileSystems.SelectMany(f => f.Blobs))
            CryptographicOperations.ZeroMemory(blob.Key);
    }
}

/// <summary>The encrypted manifest as it is stored: the configuration blob of the artifact.</summary>
public sealed record SealedEnvelope
{
    /// <summary>Version of the format.</summary>
    public required int Version { get; init; }

    /// <summary>Resource URI of the image key, kbs:///repository/type/tag.</summary>
    public required string Kid { get; init; }

    /// <summary>Nonce of AES-256-GCM, 12 bytes; base64.</summary>
    public required byte[] Nonce { get; init; }

    /// <summary>The manifest, or a JWS of it, encrypted; 16 bytes of tag at its end; base64.</summary>
    public required byte[] Ciphertext { get; init; }
}

/// <summary>JSON of sealed images: doubled and unknown members are refused, for every word of it decides what runs.</summary>
[JsonSerializable(typeof(SealedManifest))]
[JsonSerializable(typeof(SealedEnvelope))]
sealed partial class SealedJson : JsonSerializerContext
{
    public static SealedJson Context { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 16,
    });

    public static T Parse<T>(ReadOnlySpan<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string structure)
        where T : class => StrictJson.Deserialize(json, type, OciLimits.MaxDocumentBytes, structure, isSecret: true);
}
