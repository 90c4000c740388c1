using Microsoft.Win32.SafeHandles;

namespace Kist.Images.Sealed;

/// <summary>A new blob that has to be stored.</summary>
/// <param name="Blob">What it is.</param>
/// <param name="Path">Where it lies.</param>
sealed record NewBlob(SealedBlob Blob, string Path);

/// <summary>Seals file system images: their blocks go into a new blob, but for those that an older blob already has.</summary>
sealed class FileSystemSealer(ReadOnlyMemory<byte> imageKey, ReadOnlyMemory<byte> context, BlockIndex? older, string work)
{
    private readonly List<NewBlob> _new = [];

    /// <summary>The blobs that are to be stored.</summary>
    public IReadOnlyList<NewBlob> NewBlobs => _new;

    /// <summary>Seals a file system image, which is no more afterwards.</summary>
    /// <param name="image">The file, a multiple of 4096 bytes long; in the work directory.</param>
    /// <param name="maxOlder">Most old blobs that it may point at.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public SealedFileSystem Seal(string image, int maxOlder, CancellationToken cancellationToken)
    {
        if (older is null)
        {
            var whole = SealBlob(image, cancellationToken);
            return FileSystem([whole], [new SealedExtent(0, 0, whole.DataBlocks)]);
        }

        using var plain = File.OpenHandle(image, options: FileOptions.DeleteOnClose);
        var blocks = RandomAccess.GetLength(plain) / VerityTree.BlockSize;
        var runs = BlockReuse.Plan(BlockIndex.HashPlain(plain, blocks, cancellationToken), older, maxOlder);
        var blobs = new List<SealedBlob>();
        if (runs.Any(r => r.IsNew))
            blobs.Add(WriteNew(plain, runs, cancellationToken));
        var places = new Dictionary<int, int>();
        foreach (var blob in runs.Where(r => !r.IsNew).Select(r => r.Blob).Distinct())
        {
            places[blob] = blobs.Count;
            blobs.Add(older.Blobs[blob]);
        }

        long own = 0;
        var extents = new List<SealedExtent>();
        foreach (var run in runs)
        {
            extents.Add(run.IsNew ? new SealedExtent(0, own, run.Count) : new SealedExtent(places[run.Blob], run.BlobStart, run.Count));
            own += run.IsNew ? run.Count : 0;
        }

        return FileSystem(blobs, extents);
    }

    private static SealedFileSystem FileSystem(IReadOnlyList<SealedBlob> blobs, IReadOnlyList<SealedExtent> extents) =>
        new() { Type = "erofs", Blocks = extents.Sum(e => e.Count), Blobs = blobs, Extents = extents };

    private SealedBlob WriteNew(SafeFileHandle plain, IReadOnlyList<BlockRun> runs, CancellationToken cancellationToken)
    {
        var path = Path.Combine(work, "new");
        using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
            CopyNew(plain, file, runs, cancellationToken);
        return SealBlob(path, cancellationToken);
    }

    private static void CopyNew(SafeFileHandle plain, SafeFileHandle file, IReadOnlyList<BlockRun> runs, CancellationToken cancellationToken)
    {
        var buffer = new byte[SealedBlobWriter.PieceBytes];
        long end = 0;
        foreach (var run in runs.Where(r => r.IsNew))
        {
            var bytes = run.Count * VerityTree.BlockSize;
            for (long done = 0; done < bytes;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var data = buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes - done));
                ParallelPieces.ReadExactly(plain, data, run.Start * VerityTree.BlockSize + done);
                RandomAccess.Write(file, data, end);
                done += data.Length;
                end += data.Length;
            }
        }
    }

    // The file is moved first: what is in the blob's place is a blob, or was on the way to be one.
    private SealedBlob SealBlob(string plain, CancellationToken cancellationToken)
    {
        var path = Path.Combine(work, $"blob-{_new.Count}");
        File.Move(plain, path);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var blob = SealedBlobWriter.Seal(file, imageKey.Span, context.Span, cancellationToken);
        _new.Add(new NewBlob(blob, path));
        return blob;
    }
}
