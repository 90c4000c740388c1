namespace Kist.Images.Sealed;

/// <summary>A run of blocks of a new file system.</summary>
/// <param name="Start">Its first block in the file system.</param>
/// <param name="Count">How many.</param>
/// <param name="Blob">Index of the old blob that has them, or -1 if they are new.</param>
/// <param name="BlobStart">Their first block in that blob.</param>
readonly record struct BlockRun(long Start, long Count, int Blob, long BlobStart)
{
    public bool IsNew => Blob < 0;
}

/// <summary>Decides which blocks of a new file system are taken from older blobs.</summary>
static class BlockReuse
{
    /// <summary>Shorter runs are not worth a jump: 16 blocks are 64 KiB.</summary>
    private const int MinimumRun = 16;

    /// <summary>A blob that gives less than this part of itself is left behind: whoever prefetches would fetch all of it.</summary>
    private const int MinimumShare = 16;

    /// <summary>Runs that cover the file system from its first block to its last.</summary>
    /// <param name="blocks">Hashes of its blocks.</param>
    /// <param name="index">What there is.</param>
    /// <param name="maxBlobs">Most old blobs that may be used.</param>
    public static IReadOnlyList<BlockRun> Plan(ReadOnlySpan<UInt128> blocks, BlockIndex index, int maxBlobs)
    {
        var minimum = MinimumRun;
        while (true)
        {
            var runs = Match(blocks, index, minimum, null);
            var used = Worthy(runs, index, maxBlobs);
            if (used.Count < index.Blobs.Count)
                runs = Match(blocks, index, minimum, used);
            if (runs.Count <= SealedFileSystem.MaxExtents)
                return runs;
            minimum *= 2;
        }
    }

    private static List<BlockRun> Match(ReadOnlySpan<UInt128> blocks, BlockIndex index, int minimum, HashSet<int>? allowed)
    {
        var runs = new List<BlockRun>();
        for (long i = 0; i < blocks.Length;)
        {
            var run = index.Find(blocks[(int)i]) is { } place && allowed?.Contains(place.Blob) != false ? Extend(blocks, index, i, place.Blob, place.Block) : default;
            if (run.Count < minimum)
            {
                // Too short, or nothing: new, together with what is new before it.
                var count = Math.Max(1, run.Count);
                if (runs is [.., { IsNew: true } last])
                    runs[^1] = last with { Count = last.Count + count };
                else
                    runs.Add(new BlockRun(i, count, -1, 0));
                i += count;
                continue;
            }

            runs.Add(run);
            i += run.Count;
        }

        return runs;
    }

    private static BlockRun Extend(ReadOnlySpan<UInt128> blocks, BlockIndex index, long start, int blob, long block)
    {
        long count = 1;
        while (start + count < blocks.Length && index.IsAt(blob, block + count, blocks[(int)(start + count)]))
            count++;
        return new BlockRun(start, count, blob, block);
    }

    private static HashSet<int> Worthy(List<BlockRun> runs, BlockIndex index, int maxBlobs) =>
    [
        .. runs.Where(r => !r.IsNew).GroupBy(r => r.Blob).Select(g => (Blob: g.Key, Blocks: g.Sum(r => r.Count)))
            .Where(g => g.Blocks * MinimumShare >= index.Blobs[g.Blob].DataBlocks).OrderByDescending(g => g.Blocks).Take(maxBlobs).Select(g => g.Blob),
    ];
}
