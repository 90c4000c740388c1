using Kist.Formats;

namespace Kist.KeyBroker.Audit;

/// <summary>Computes the root over leaves that come one after another, in memory that grows with the logarithm of their number.</summary>
public sealed class MerkleFrontier
{
    // The hash of the complete subtree at each level, null where the size has a 0 bit.
    private readonly List<byte[]?> _subtrees = [];

    /// <summary>Number of leaves so far.</summary>
    public long Size { get; private set; }

    /// <summary>The frontier of leaves that came before, from the hashes of their complete subtrees, the largest first.</summary>
    /// <exception cref="MalformedDataException">There are not as many as a tree of this size has.</exception>
    internal static MerkleFrontier From(long size, IReadOnlyList<byte[]> subtrees)
    {
        if (size < 0 || System.Numerics.BitOperations.PopCount((ulong)size) != subtrees.Count)
            throw new MalformedDataException("audit checkpoint", -1, "it has not as many subtrees as a tree of its size");
        var frontier = new MerkleFrontier { Size = size };
        var next = subtrees.Count;
        for (var rest = size; rest != 0; rest >>= 1)
            frontier._subtrees.Add((rest & 1) == 1 ? subtrees[--next] : null);
        return frontier;
    }

    /// <summary>Adds the next leaf by its hash.</summary>
    public void Add(byte[] leafHash)
    {
        var hash = leafHash;
        var level = 0;
        for (; level < _subtrees.Count && _subtrees[level] is { } left; level++)
        {
            hash = MerkleTree.NodeHash(left, hash);
            _subtrees[level] = null;
        }

        if (level == _subtrees.Count)
            _subtrees.Add(null);
        _subtrees[level] = hash;
        Size++;
    }

    /// <summary>The root over the leaves so far.</summary>
    public byte[] Root()
    {
        byte[]? root = null;
        foreach (var subtree in _subtrees)
        {
            if (subtree is not null)
                root = root is null ? subtree : MerkleTree.NodeHash(subtree, root);
        }

        return root ?? MerkleTree.EmptyRoot;
    }
}
