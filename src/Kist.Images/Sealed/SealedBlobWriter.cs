using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;
using Microsoft.Win32.SafeHandles;

namespace Kist.Images.Sealed;

/// <summary>
/// Turns blocks into a sealed blob: encrypted, then hashed (the tree is over the ciphertext), then the superblock and the
/// tree. Pieces are worked on by all cores; the blob's own digest, which only one core can compute, follows behind them.
/// </summary>
static class SealedBlobWriter
{
    private const int PieceBlocks = 256;

    /// <summary>Bytes of a piece.</summary>
    public const int PieceBytes = PieceBlocks * VerityTree.BlockSize;

    /// <summary>Writes the blob.</summary>
    /// <param name="plain">The blocks, a multiple of 4096 bytes.</param>
    /// <param name="output">The file to write; empty.</param>
    /// <param name="imageKey">The image key.</param>
    /// <param name="context">Further bytes that keys depend on; empty where equal blobs may be seen to be equal.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static SealedBlob Write(
        SafeFileHandle plain, SafeFileHandle output, ReadOnlySpan<byte> imageKey, ReadOnlySpan<byte> context, CancellationToken cancellationToken)
    {
        var length = RandomAccess.GetLength(plain);
        var dataBlocks = length / VerityTree.BlockSize;
        if (dataBlocks == 0 || length % VerityTree.BlockSize != 0)
            throw new ArgumentException("not whole blocks", nameof(plain));
        var digest = ContentDigest(plain, length, cancellationToken);
        using var key = SealedKeys.BlockKey(imageKey, digest, context);
        var salt = SealedKeys.VeritySalt(imageKey, digest, context);
        var leaves = new byte[dataBlocks * 32];
        using var blobHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var written = new FollowingHash(output, length, blobHash))
        {
            written.Start();
            ParallelPieces.Run(length, PieceBytes, () => new Encryptor(plain, output, key, salt, leaves, written), cancellationToken);
        }

        var (rootHash, tree) = VerityTree.Build(leaves, salt);
        Append(output, VeritySuperblock.Write(dataBlocks, salt, digest.AsSpan(0, 16)), length, blobHash);
        Append(output, tree, length + VerityTree.BlockSize, blobHash);
        return new SealedBlob
        {
            Digest = Digest.FromSha256(blobHash.GetHashAndReset()),
            Size = length + VerityTree.BlockSize + tree.Length,
            DataBlocks = dataBlocks,
            Cipher = "aes-xts-plain64",
            Key = key.Span.ToArray(),
            Salt = salt,
            RootHash = rootHash,
        };
    }

    /// <summary>
    /// What keys are derived from: SHA-256 over the SHA-256 of every piece of 1 MiB (the last may be shorter), which all
    /// cores can compute together.
    /// </summary>
    internal static byte[] ContentDigest(SafeFileHandle plain, long length, CancellationToken cancellationToken)
    {
        var hashes = new byte[(length + PieceBytes - 1) / PieceBytes * 32];
        ParallelPieces.Run(length, PieceBytes, () => new PieceHasher(plain, hashes), cancellationToken);
        return SHA256.HashData(hashes);
    }

    private static void Append(SafeFileHandle output, byte[] data, long offset, IncrementalHash hash)
    {
        RandomAccess.Write(output, data, offset);
        hash.AppendData(data);
    }

    private sealed class PieceHasher(SafeFileHandle plain, byte[] hashes) : IPieceWorker
    {
        private readonly byte[] _buffer = new byte[PieceBytes];

        public void Work(long piece, long offset, int length)
        {
            var data = _buffer.AsSpan(0, length);
            ParallelPieces.ReadExactly(plain, data, offset);
            SHA256.HashData(data, hashes.AsSpan((int)piece * 32, 32));
        }

        public void Dispose()
        {
        }
    }

    private sealed class Encryptor(SafeFileHandle plain, SafeFileHandle output, SecretBytes key, byte[] salt, byte[] leaves, FollowingHash written) : IPieceWorker
    {
        private readonly AesXts _xts = new(key.Span);
        private readonly byte[] _buffer = new byte[PieceBytes];

        public void Work(long piece, long offset, int length)
        {
            var data = _buffer.AsSpan(0, length);
            ParallelPieces.ReadExactly(plain, data, offset);
            _xts.Encrypt(data, (ulong)(offset / VerityTree.BlockSize));
            RandomAccess.Write(output, data, offset);
            written.Report(piece);
            VerityTree.HashBlocks(data, salt, leaves.AsSpan((int)(piece * PieceBlocks * 32), length / VerityTree.BlockSize * 32));
        }

        public void Dispose() => _xts.Dispose();
    }
}
