using System.Security.Cryptography;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Oci;
using Microsoft.Win32.SafeHandles;

namespace Kist.Images.Sealed;

/// <summary>
/// Turns blocks into a sealed blob: encrypted, then hashed (the tree is over the ciphertext), then the superblock and the
/// tree. Pieces are worked on by all cores; the blob's own digest, which only one core can compute, follows behind them.
/// </summary>
static class SealedBlobWriter
{
    private const int PieceBlocks = 64;

    /// <summary>Bytes of a piece: as much as a core has close by.</summary>
    public const int PieceBytes = PieceBlocks * VerityTree.BlockSize;

    /// <summary>
    /// Turns a file of plain blocks into the blob, in place: the file system has its pages already, and no plain text stays
    /// behind. If this fails the file is neither.
    /// </summary>
    /// <param name="file">The blocks, a multiple of 4096 bytes; open for reading and writing.</param>
    /// <param name="imageKey">The image key.</param>
    /// <param name="context">Further bytes that keys depend on; empty where equal blobs may be seen to be equal.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static SealedBlob Seal(SafeFileHandle file, ReadOnlySpan<byte> imageKey, ReadOnlySpan<byte> context, CancellationToken cancellationToken)
    {
        var length = RandomAccess.GetLength(file);
        var dataBlocks = length / VerityTree.BlockSize;
        if (dataBlocks == 0 || length % VerityTree.BlockSize != 0)
            throw new ArgumentException("not whole blocks", nameof(file));
        using var plain = MappedFile.Open(file, length);
        var digest = ContentDigest.Compute(plain, length, imageKey, cancellationToken);
        using var key = SealedKeys.BlockKey(imageKey, digest, context);
        var salt = SealedKeys.VeritySalt(imageKey, digest, context);
        var leaves = new byte[dataBlocks * 32];
        using var blobHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var sealedPieces = new FollowingHash(blobHash, (length + PieceBytes - 1) / PieceBytes, PieceBytes, 4 * Environment.ProcessorCount))
            ParallelPieces.Run(length, PieceBytes, () => new Encryptor(plain, file, key, salt, leaves, sealedPieces), cancellationToken);
        var (rootHash, tree) = VerityTree.Build(leaves, salt);
        Append(file, VeritySuperblock.Write(dataBlocks, salt), length, blobHash);
        Append(file, tree, length + VerityTree.BlockSize, blobHash);
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

    private static void Append(SafeFileHandle output, byte[] data, long offset, IncrementalHash hash)
    {
        RandomAccess.Write(output, data, offset);
        hash.AppendData(data);
    }

    private sealed class Encryptor(MappedFile plain, SafeFileHandle file, SecretBytes key, byte[] salt, byte[] leaves, FollowingHash sealedPieces) : IPieceWorker
    {
        private readonly AesXts _xts = new(key.Span);
        private byte[]? _buffer;

        public void Prepare() => _buffer ??= sealedPieces.TakeBuffer();

        public void Work(long piece, long offset, int length)
        {
            try
            {
                Seal(piece, offset, _buffer.AsSpan(0, length));
            }
            catch
            {
                sealedPieces.Abandon();
                throw;
            }

            sealedPieces.Report(piece, _buffer!, length);
            _buffer = null;
        }

        public void Dispose()
        {
            if (_buffer is not null)
                sealedPieces.Return(_buffer);
            _xts.Dispose();
        }

        private void Seal(long piece, long offset, Span<byte> data)
        {
            _xts.Encrypt(plain.Slice(offset, data.Length), data, (ulong)(offset / VerityTree.BlockSize));
            RandomAccess.Write(file, data, offset);
            VerityTree.HashBlocks(data, salt, leaves.AsSpan((int)(piece * PieceBlocks * 32), data.Length / VerityTree.BlockSize * 32));
        }
    }
}
