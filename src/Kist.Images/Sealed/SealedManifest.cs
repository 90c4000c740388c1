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

    /// <summary>Version of the format.</summary>
    public required int Version { get; init; }

    /// <summary>Digest of the image manifest that was sealed.</summary>
    public required Digest Source { get; init; }

    /// <summary>os/architecture.</summary>
    public required string Platform { get; init; }

    /// <summary>How to run it.</summary>
    public required ContainerConfiguration Config { get; init; }

    /// <summary>The file systems, lowest first; they are stacked by overlayfs. One is usual.</summary>
    public required IReadOnlyList<SealedFileSystem> FileSystems { get; init; }

    /// <summary>Reads a manifest.</summary>
    public static SealedManifest Parse(ReadOnlySpan<byte> json)
    {
        var manifest = SealedJson.Parse(json, SealedJson.Context.SealedManifest, "sealed manifest");
        if (manifest.Version != CurrentVersion)
            throw new MalformedDataException("sealed manifest", -1, $"version {manifest.Version} is not known, only {CurrentVersion}");
        if (manifest.FileSystems.Count is 0 or > 64)
            throw new MalformedDataException("sealed manifest", -1, $"{manifest.FileSystems.Count} file systems");
        foreach (var fileSystem in manifest.FileSystems)
            fileSystem.Check();
        return manifest;
    }

    /// <summary>The JSON. The caller wipes it: it holds keys.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, SealedJson.Context.SealedManifest);
}

/// <summary>One encrypted, hashed file system.</summary>
public sealed record SealedFileSystem
{
    /// <summary>Only EROFS.</summary>
    public required string Type { get; init; }

    /// <summary>Digest of the blob: the encrypted blocks, the verity superblock, the verity tree.</summary>
    public required Digest Blob { get; init; }

    /// <summary>Length of the blob.</summary>
    public required long BlobSize { get; init; }

    /// <summary>Number of 4096-byte blocks of the file system.</summary>
    public required long DataBlocks { get; init; }

    /// <summary>Only aes-xts-plain64, sectors of 4096 bytes.</summary>
    public required string Cipher { get; init; }

    /// <summary>The key of the blocks, 64 bytes; base64.</summary>
    public required byte[] Key { get; init; }

    /// <summary>Salt of the verity tree; base64.</summary>
    public required byte[] Salt { get; init; }

    /// <summary>Root hash of the verity tree, SHA-256; base64.</summary>
    public required byte[] RootHash { get; init; }

    /// <summary>Bytes of the blob before the tree: the encrypted blocks.</summary>
    [JsonIgnore]
    public long DataBytes => DataBlocks * VerityTree.BlockSize;

    /// <summary>Number of the block where the tree begins: after the data and the superblock's block.</summary>
    [JsonIgnore]
    public long TreeBlock => DataBlocks + 1;

    internal void Check()
    {
        var blocks = DataBlocks is > 0 and < OciLimits.MaxBlobBytes / VerityTree.BlockSize ? DataBlocks + 1 + VerityTree.LevelBlocks(DataBlocks).Sum() : -1;
        var reason = Type != "erofs" ? $"a file system of type '{Type}'"
            : Cipher != "aes-xts-plain64" ? $"the cipher '{Cipher}'"
            : Key.Length != AesXts.KeySize ? $"a key of {Key.Length} bytes"
            : RootHash.Length != 32 ? $"a root hash of {RootHash.Length} bytes"
            : Salt.Length is 0 or > 256 ? $"a salt of {Salt.Length} bytes"
            : BlobSize != blocks * VerityTree.BlockSize ? "the blob's length does not fit its number of blocks"
            : null;
        if (reason is not null)
            throw new MalformedDataException("sealed manifest", -1, reason);
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
        where T : class
    {
        if (json.Length > OciLimits.MaxDocumentBytes)
            throw new MalformedDataException(structure, -1, $"{json.Length} bytes, more than the limit of {OciLimits.MaxDocumentBytes}");
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new MalformedDataException(structure, 0, "null");
        }
        catch (JsonException)
        {
            // The library's message quotes its input, which is secret here.
            throw new MalformedDataException(structure, -1, "it is not the JSON that is expected");
        }
    }
}
