using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Sealed;

/// <summary>
/// Turns a file system image into a sealed blob: its blocks encrypted, then hashed (the tree is over the ciphertext), then
/// the superblock and the tree. Blocks are worked on by all cores.
/// </summary>
static class SealedBlobWriter
{
    private const int ChunkBlocks = 256;
    private const int ChunkBytes = ChunkBlocks * VerityTree.BlockSize;

    /// <summary>Writes the blob.</summary>
    /// <param name="plain">The file system image, a multiple of 4096 bytes long.</param>
    /// <param name="output">The file to write; empty.</param>
    /// <param name="imageKey">The image key.</param>
    /// <param name="context">Further bytes that keys depend on; empty where equal file systems may be seen to be equal.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static SealedBlob Write(
        FileStream plain, FileStream output, ReadOnlySpan<byte> imageKey, ReadOnlySpan<byte> context, CancellationToken cancellationToken)
    {
        var dataBlocks = plain.Length / VerityTree.BlockSize;
        if (dataBlocks == 0 || plain.Length % VerityTree.BlockSize != 0)
            throw new ArgumentException("not whole blocks", nameof(plain));
        var digest = HashFile(plain, cancellationToken);
        using var key = SealedKeys.BlockKey(imageKey, digest, context);
        var salt = SealedKeys.VeritySalt(imageKey, digest, context);
        var leaves = new byte[dataBlocks * 32];
        EncryptAndHash(plain, output, key, salt, leaves, cancellationToken);
        var (rootHash, tree) = VerityTree.Build(leaves, salt);
        RandomAccess.Write(output.SafeFileHandle, VeritySuperblock.Write(dataBlocks, salt, digest.AsSpan(0, 16)), dataBlocks * VerityTree.BlockSize);
        RandomAccess.Write(output.SafeFileHandle, tree, (dataBlocks + 1) * VerityTree.BlockSize);
        return new SealedBlob
        {
            Cipher = "aes-xts-plain64",
            Digest = Digest.FromSha256(HashFile(output, cancellationToken)),
            Size = (dataBlocks + 1) * VerityTree.BlockSize + tree.Length,
            DataBlocks = dataBlocks,
            Key = key.Span.ToArray(),
            Salt = salt,
            RootHash = rootHash,
        };
    }

    private static void EncryptAndHash(FileStream plain, FileStream output, SecretBytes key, byte[] salt, byte[] leaves, CancellationToken cancellationToken)
    {
        var chunks = (plain.Length + ChunkBytes - 1) / ChunkBytes;
        long next = -1;

        void Work()
        {
            using var xts = new AesXts(key.Span);
            var buffer = new byte[ChunkBytes];
            for (long chunk; (chunk = Interlocked.Increment(ref next)) < chunks;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var offset = chunk * ChunkBytes;
                var data = buffer.AsSpan(0, (int)Math.Min(ChunkBytes, plain.Length - offset));
                ReadExactly(plain, data, offset);
                xts.Encrypt(data, (ulong)(offset / VerityTree.BlockSize));
                VerityTree.HashBlocks(data, salt, leaves.AsSpan((int)(chunk * ChunkBlocks * 32), data.Length / VerityTree.BlockSize * 32));
                RandomAccess.Write(output.SafeFileHandle, data, offset);
            }
        }

        var workers = Enumerable.Range(0, Environment.ProcessorCount)
            .Select(_ => Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Task.WhenAll(workers).GetAwaiter().GetResult();
    }

    private static void ReadExactly(FileStream file, Span<byte> data, long offset)
    {
        while (!data.IsEmpty)
        {
            var count = RandomAccess.Read(file.SafeFileHandle, data, offset);
            if (count == 0)
                throw new EndOfStreamException();
            data = data[count..];
            offset += count;
        }
    }

    private static byte[] HashFile(FileStream file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[ChunkBytes];
        int count;
        for (long offset = 0; (count = RandomAccess.Read(file.SafeFileHandle, buffer, offset)) > 0; offset += count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }

        return hash.GetHashAndReset();
    }
}
