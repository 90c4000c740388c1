using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Oci;
using Microsoft.Win32.SafeHandles;

namespace Kist.Images.Sealed;

/// <summary>
/// The plain blocks of an older version's blobs, by hash: what a new version of the image can point at. EROFS puts file
/// contents at block boundaries, so an unchanged file is the same run of blocks wherever it lies.
/// </summary>
sealed class BlockIndex : IDisposable
{
    private readonly Dictionary<UInt128, (int Blob, long Block)> _first = [];
    private readonly List<UInt128[]> _hashes = [];

    /// <summary>The blobs, with their keys.</summary>
    public List<SealedBlob> Blobs { get; } = [];

    /// <summary>Adds a blob.</summary>
    /// <param name="blob">What it is.</param>
    /// <param name="file">Its content, whose digest has been checked.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public void Add(SealedBlob blob, SafeFileHandle file, CancellationToken cancellationToken)
    {
        var hashes = new UInt128[blob.DataBlocks];
        ParallelPieces.Run(blob.DataBytes, SealedBlobWriter.PieceBytes, () => new DecryptingHasher(file, blob.Key, hashes), cancellationToken);
        for (long i = 0; i < hashes.Length; i++)
            _first.TryAdd(hashes[i], (Blobs.Count, i));
        _hashes.Add(hashes);
        Blobs.Add(blob);
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        foreach (var blob in Blobs)
            CryptographicOperations.ZeroMemory(blob.Key);
    }

    /// <summary>Hashes of the blocks of a plain file.</summary>
    public static UInt128[] HashPlain(SafeFileHandle plain, long blocks, CancellationToken cancellationToken)
    {
        var hashes = new UInt128[blocks];
        ParallelPieces.Run(blocks * VerityTree.BlockSize, SealedBlobWriter.PieceBytes, () => new DecryptingHasher(plain, null, hashes), cancellationToken);
        return hashes;
    }

    /// <summary>Where a block with this hash lies, or null.</summary>
    public (int Blob, long Block)? Find(UInt128 hash) => _first.TryGetValue(hash, out var place) ? place : null;

    /// <summary>True if that very place has a block with this hash.</summary>
    public bool IsAt(int blob, long block, UInt128 hash) => block < _hashes[blob].Length && _hashes[blob][block] == hash;

    /// <summary>
    /// Half of a SHA-256: 128 bits. Two different blocks with one hash would take 2^64 tries to make, by somebody who already
    /// decides what is in the image.
    /// </summary>
    private sealed class DecryptingHasher(SafeFileHandle file, byte[]? key, UInt128[] hashes) : IPieceWorker
    {
        private readonly AesXts? _xts = key is null ? null : new AesXts(key);
        private readonly byte[] _buffer = new byte[SealedBlobWriter.PieceBytes];

        public void Work(long piece, long offset, int length)
        {
            var data = _buffer.AsSpan(0, length);
            ParallelPieces.ReadExactly(file, data, offset);
            var block = offset / VerityTree.BlockSize;
            _xts?.Decrypt(data, (ulong)block);
            Span<byte> hash = stackalloc byte[32];
            for (; !data.IsEmpty; data = data[VerityTree.BlockSize..], block++)
            {
                SHA256.HashData(data[..VerityTree.BlockSize], hash);
                hashes[block] = BinaryPrimitives.ReadUInt128LittleEndian(hash);
            }
        }

        public void Dispose()
        {
            CryptographicOperations.ZeroMemory(_buffer);
            _xts?.Dispose();
        }
    }
}
