using System.Security.Cryptography;
using Kist.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Kist.Images.Sealed;

/// <summary>
/// The hash tree of dm-verity, version 1, SHA-256, blocks of 4096 bytes for data and hashes (Linux
/// Documentation/admin-guide/device-mapper/verity.rst): the hash of a block is SHA-256 of salt and block; each hash block
/// holds 128 of them; the highest level stands first on the disk; the root hash is that of the highest block.
/// </summary>
public static class VerityTree
{
    /// <summary>Bytes of a data block and of a hash block.</summary>
    public const int BlockSize = 4096;

    /// <summary>Hashes in a hash block.</summary>
    public const int HashesPerBlock = BlockSize / 32;

    /// <summary>Hash blocks of each level, lowest first, for a number of data blocks. A single block has no tree: its hash is the root.</summary>
    public static IReadOnlyList<long> LevelBlocks(long dataBlocks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dataBlocks, 1);
        var levels = new List<long>();
        for (var count = dataBlocks; count > 1;)
        {
            count = (count + HashesPerBlock - 1) / HashesPerBlock;
            levels.Add(count);
        }

        return levels;
    }

    /// <summary>Hashes the leaves: 32 bytes for each data block.</summary>
    /// <param name="data">Whole blocks.</param>
    /// <param name="salt">The salt.</param>
    /// <param name="hashes">Where the hashes go.</param>
    public static void HashBlocks(ReadOnlySpan<byte> data, ReadOnlySpan<byte> salt, Span<byte> hashes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (; !data.IsEmpty; data = data[BlockSize..], hashes = hashes[32..])
        {
            hash.AppendData(salt);
            hash.AppendData(data[..BlockSize]);
            hash.GetHashAndReset(hashes);
        }
    }

    /// <summary>Reads a file on all cores and computes its tree.</summary>
    /// <param name="file">The data.</param>
    /// <param name="length">Its length, a multiple of 4096 bytes.</param>
    /// <param name="salt">The salt.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>As <see cref="Build"/>.</returns>
    public static (byte[] RootHash, byte[] Tree) Compute(SafeFileHandle file, long length, byte[] salt, CancellationToken cancellationToken)
    {
        var leaves = new byte[length / BlockSize * 32];
        using var data = MappedFile.Open(file, length);
        ParallelPieces.Run(length, SealedBlobWriter.PieceBytes, () => new LeafHasher(data, salt, leaves), cancellationToken);
        return Build(leaves, salt);
    }

    /// <summary>Builds the levels over leaf hashes.</summary>
    /// <param name="leaves">32 bytes for each data block.</param>
    /// <param name="salt">The salt.</param>
    /// <returns>The root hash, and the tree as it stands on the disk after the superblock's block.</returns>
    public static (byte[] RootHash, byte[] Tree) Build(byte[] leaves, byte[] salt)
    {
        var sizes = LevelBlocks(leaves.Length / 32);
        var tree = new byte[sizes.Sum() * BlockSize];
        var end = tree.Length;
        ReadOnlySpan<byte> below = leaves;
        var buffer = leaves;
        foreach (var blocks in sizes)
        {
            var level = tree.AsSpan(end - (int)(blocks * BlockSize), (int)(blocks * BlockSize));
            end -= level.Length;
            below.CopyTo(level);
            buffer = new byte[blocks * 32];
            HashBlocks(level, salt, buffer);
            below = buffer;
        }

        return (buffer, tree);
    }

    private sealed class LeafHasher(MappedFile file, byte[] salt, byte[] leaves) : IPieceWorker
    {
        public void Work(long piece, long offset, int length) =>
            HashBlocks(file.Slice(offset, length), salt, leaves.AsSpan((int)(offset / BlockSize * 32), length / BlockSize * 32));

        public void Dispose()
        {
        }
    }
}
