using System.Numerics;

namespace Kist.KeyBroker.Audit;

/// <summary>
/// Computes roots and proofs (RFC 6962 sections 2.1.1 and 2.1.2) from the hashes of complete subtrees, of which a tree of
/// n leaves needs at most about 2 log n.
/// </summary>
/// <param name="node">
/// The hash of the complete subtree at (level, position): its leaves are position * 2^level and the 2^level - 1 after it.
/// </param>
sealed class MerkleProver(Func<int, long, byte[]> node)
{
    /// <summary>The root of the first <paramref name="size"/> leaves.</summary>
    public byte[] Root(long size) => size == 0 ? MerkleTree.EmptyRoot : Range(0, size);

    /// <summary>The audit path of a leaf.</summary>
    public List<byte[]> Inclusion(long index, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var path = new List<byte[]>();
        Inclusion(index, 0, size, path);
        return path;
    }

    /// <summary>The proof that the tree of the second size begins with the tree of the first.</summary>
    public List<byte[]> Consistency(long first, long second)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, second);
        var path = new List<byte[]>();
        if (first > 0 && first < second)
            Subproof(first, 0, second, true, path);
        return path;
    }

    // PATH(m, D[n]) for the leaves from start to end.
    private void Inclusion(long index, long start, long end, List<byte[]> path)
    {
        if (end - start == 1)
            return;
        var middle = start + Split(end - start);
        if (index < middle)
        {
            Inclusion(index, start, middle, path);
            path.Add(Range(middle, end));
        }
        else
        {
            Inclusion(index, middle, end, path);
            path.Add(Range(start, middle));
        }
    }

    // SUBPROOF(m, D[n], b) for the leaves from start to end.
    private void Subproof(long first, long start, long end, bool known, List<byte[]> path)
    {
        if (first == end - start)
        {
            if (!known)
                path.Add(Range(start, end));
            return;
        }

        var split = Split(end - start);
        if (first <= split)
        {
            Subproof(first, start, start + split, known, path);
            path.Add(Range(start + split, end));
        }
        else
        {
            Subproof(first - split, start + split, end, false, path);
            path.Add(Range(start, start + split));
        }
    }

    private byte[] Range(long start, long end)
    {
        var count = end - start;
        if (BitOperations.IsPow2(count))
        {
            var level = BitOperations.Log2((ulong)count);
            return node(level, start >> level);
        }

        var middle = start + Split(count);
        return MerkleTree.NodeHash(Range(start, middle), Range(middle, end));
    }

    // The largest power of two smaller than the count.
    private static long Split(long count) => 1L << BitOperations.Log2((ulong)(count - 1));
}
