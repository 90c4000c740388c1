using System.Security.Cryptography;

namespace Kist.KeyBroker.Audit;

/// <summary>
/// The Merkle tree of RFC 6962 section 2 (the same in RFC 9162 section 2.1): hashing, and verifying of proofs. Verifiers
/// follow the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
/// </summary>
public static class MerkleTree
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = SHA256.HashSizeInBytes;

    /// <summary>The hash of the tree without leaves.</summary>
    public static byte[] EmptyRoot => SHA256.HashData([]);

    /// <summary>The hash of a leaf: SHA-256(0x00 || leaf).</summary>
    public static byte[] LeafHash(ReadOnlySpan<byte> leaf)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([0]);
        hash.AppendData(leaf);
        return hash.GetHashAndReset();
    }

    /// <summary>The hash of an inner node: SHA-256(0x01 || left || right).</summary>
    public static byte[] NodeHash(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        Span<byte> input = stackalloc byte[1 + (2 * HashBytes)];
        input[0] = 1;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + HashBytes)..]);
        return SHA256.HashData(input);
    }

    /// <summary>True if the leaf with this hash is at <paramref name="index"/> of the tree with this size and root.</summary>
    public static bool VerifyInclusion(ReadOnlySpan<byte> leafHash, long index, long size, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root)
    {
        if (index < 0 || index >= size)
            return false;
        var (fn, sn) = (index, size - 1);
        var hash = leafHash.ToArray();
        foreach (var sibling in proof)
        {
            if (sn == 0 || sibling.Length != HashBytes)
                return false;
            if ((fn & 1) == 1 || fn == sn)
            {
                hash = NodeHash(sibling, hash);
                while ((fn & 1) == 0 && fn != 0)
                {
                    fn >>= 1;
                    sn >>= 1;
                }
            }
            else
            {
                hash = NodeHash(hash, sibling);
            }

            fn >>= 1;
            sn >>= 1;
        }

        return sn == 0 && hash.AsSpan().SequenceEqual(root);
    }

    /// <summary>True if the tree of the second size begins with the tree of the first: nothing was changed or removed.</summary>
    public static bool VerifyConsistency(long firstSize, ReadOnlySpan<byte> firstRoot, long secondSize, ReadOnlySpan<byte> secondRoot, IReadOnlyList<byte[]> proof)
    {
        if (firstSize < 0 || firstSize > secondSize)
            return false;
        if (firstSize == secondSize)
            return proof.Count == 0 && firstRoot.SequenceEqual(secondRoot);
        if (firstSize == 0)
            return proof.Count == 0 && firstRoot.SequenceEqual(EmptyRoot);

        // Where the first tree is complete its root is the proof's first hash, and is left out.
        var path = new Queue<byte[]>(proof);
        if ((firstSize & (firstSize - 1)) == 0)
            path = new Queue<byte[]>([firstRoot.ToArray(), .. proof]);
        if (path.Count == 0)
            return false;
        var (fn, sn) = (firstSize - 1, secondSize - 1);
        while ((fn & 1) == 1)
        {
            fn >>= 1;
            sn >>= 1;
        }

        var first = path.Dequeue();
        var second = first;
        while (path.TryDequeue(out var hash))
        {
            if (sn == 0 || hash.Length != HashBytes)
                return false;
            if ((fn & 1) == 1 || fn == sn)
            {
                first = NodeHash(hash, first);
                second = NodeHash(hash, second);
                while ((fn & 1) == 0 && fn != 0)
                {
                    fn >>= 1;
                    sn >>= 1;
                }
            }
            else
            {
                second = NodeHash(second, hash);
            }

            fn >>= 1;
            sn >>= 1;
        }

        return sn == 0 && first.AsSpan().SequenceEqual(firstRoot) && second.AsSpan().SequenceEqual(secondRoot);
    }
}
