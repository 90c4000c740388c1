using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Images.Sealed;

/// <summary>
/// One file system: blocks of 4096 bytes that lie in one blob, or in several. Several let a new version of an image point
/// at blocks of an older version's blob: each blob has its own key and its own verity tree, so nothing of it changes.
/// </summary>
public sealed record SealedFileSystem
{
    /// <summary>Most runs of blocks.</summary>
    public const int MaxExtents = 8192;

    /// <summary>Only "erofs".</summary>
    public required string Type { get; init; }

    /// <summary>Number of blocks.</summary>
    public required long Blocks { get; init; }

    /// <summary>Where the blocks lie.</summary>
    public required IReadOnlyList<SealedBlob> Blobs { get; init; }

    /// <summary>The file system's blocks from its first to its last, as runs of blocks of the blobs.</summary>
    public required IReadOnlyList<SealedExtent> Extents { get; init; }

    /// <summary>True if the file system is one blob's data as it stands.</summary>
    [JsonIgnore]
    public bool IsWhole => Extents is [{ Blob: 0, Start: 0 } only] && only.Count == Blobs[0].DataBlocks;

    internal void Check()
    {
        if (Type != "erofs")
            throw Malformed($"a file system of type '{Type}'");
        if (Blobs.Count is 0 or > SealedManifest.MaxBlobs || Blobs.DistinctBy(b => b.Digest).Count() != Blobs.Count)
            throw Malformed("a file system without blobs, with too many, or with one twice");
        foreach (var blob in Blobs)
            blob.Check();
        if (Extents.Count is 0 or > MaxExtents)
            throw Malformed($"{Extents.Count} runs of blocks");
        long blocks = 0;
        foreach (var extent in Extents)
        {
            extent.Check(Blobs);
            blocks += extent.Count;
        }

        if (blocks != Blocks)
            throw Malformed($"runs of {blocks} blocks for a file system of {Blocks}");
    }

    internal static MalformedDataException Malformed(string reason) => new("sealed manifest", -1, reason);
}

/// <summary>A run of blocks of one blob.</summary>
/// <param name="Blob">Index of the blob in the file system's list.</param>
/// <param name="Start">Number of the first block in the blob.</param>
/// <param name="Count">How many.</param>
public readonly record struct SealedExtent(int Blob, long Start, long Count)
{
    internal void Check(IReadOnlyList<SealedBlob> blobs)
    {
        // Written so that nothing can overflow.
        if (Blob < 0 || Blob >= blobs.Count || Start < 0 || Count < 1 || Start >= blobs[Blob].DataBlocks || Count > blobs[Blob].DataBlocks - Start)
            throw SealedFileSystem.Malformed("a run of blocks that its blob does not have");
    }
}
