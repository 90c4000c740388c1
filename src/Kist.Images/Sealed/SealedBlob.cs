using System.Text.Json.Serialization;
using Kist.Oci;

namespace Kist.Images.Sealed;

/// <summary>A blob: encrypted blocks, verity superblock, verity tree. Everything that is needed to read it, keys included.</summary>
public sealed record SealedBlob
{
    /// <summary>Digest of the whole blob, by which registries and caches know it.</summary>
    public required Digest Digest { get; init; }

    /// <summary>Length of the whole blob.</summary>
    public required long Size { get; init; }

    /// <summary>Number of blocks of 4096 bytes before the superblock.</summary>
    public required long DataBlocks { get; init; }

    /// <summary>Only aes-xts-plain64, sectors of 4096 bytes.</summary>
    public required string Cipher { get; init; }

    /// <summary>The key of the blocks, 64 bytes; base64.</summary>
    public required byte[] Key { get; init; }

    /// <summary>Salt of the verity tree; base64.</summary>
    public required byte[] Salt { get; init; }

    /// <summary>Root hash of the verity tree, SHA-256; base64.</summary>
    public required byte[] RootHash { get; init; }

    /// <summary>Bytes of the blob before the superblock: the encrypted blocks.</summary>
    [JsonIgnore]
    public long DataBytes => DataBlocks * VerityTree.BlockSize;

    /// <summary>Number of the block where the tree begins: after the data and the superblock's block.</summary>
    [JsonIgnore]
    public long TreeBlock => DataBlocks + 1;

    internal void Check()
    {
        var blocks = DataBlocks is > 0 and < OciLimits.MaxBlobBytes / VerityTree.BlockSize ? DataBlocks + 1 + VerityTree.LevelBlocks(DataBlocks).Sum() : -1;
        var reason = Cipher != "aes-xts-plain64" ? $"the cipher '{Cipher}'"
            : Key.Length != AesXts.KeySize ? $"a key of {Key.Length} bytes"
            : RootHash.Length != 32 ? $"a root hash of {RootHash.Length} bytes"
            : Salt.Length is 0 or > 256 ? $"a salt of {Salt.Length} bytes"
            : Size != blocks * VerityTree.BlockSize ? "the blob's length does not fit its number of blocks"
            : null;
        if (reason is not null)
            throw SealedFileSystem.Malformed(reason);
    }
}
