using System.Security.Cryptography;
using Kist.Linux.Files;

namespace Kist.Images.Sealed;

/// <summary>
/// What a blob's keys are derived from: a keyed digest of its plain blocks, so that other content never meets the same keys.
/// Each piece of 256 KiB goes through GMAC (AES-256-GCM with nothing to encrypt) under a key derived for it; SHA-256 over the
/// tags and the length is the digest. GMAC under a fixed nonce is no authentication, but what is needed here: a universal hash,
/// whose values never leave this process, and three times as fast as SHA-256. Who does not know the image key cannot find
/// two contents with one digest; who knows it could only harm his own image.
/// </summary>
static class ContentDigest
{
    private const int PieceBytes = 256 * 1024;
    private const int TagBytes = 16;

    /// <summary>Computes the digest on all cores.</summary>
    /// <param name="plain">The blocks.</param>
    /// <param name="length">Their length in bytes.</param>
    /// <param name="imageKey">The image key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static byte[] Compute(MappedFile plain, long length, ReadOnlySpan<byte> imageKey, CancellationToken cancellationToken)
    {
        using var key = SealedKeys.ContentKey(imageKey);
        var pieces = (length + PieceBytes - 1) / PieceBytes;
        var tags = new byte[pieces * TagBytes + sizeof(long)];
        ParallelPieces.Run(length, PieceBytes, () => new Hasher(plain, key.Span, tags), cancellationToken);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(tags.AsSpan(^sizeof(long)), length);
        var digest = SHA256.HashData(tags);
        CryptographicOperations.ZeroMemory(tags);
        return digest;
    }

    private sealed class Hasher(MappedFile plain, ReadOnlySpan<byte> key, byte[] tags) : IPieceWorker
    {
        private readonly AesGcm _gcm = new(key, TagBytes);

        public void Work(long piece, long offset, int length)
        {
            ReadOnlySpan<byte> nonce = stackalloc byte[12];
            _gcm.Encrypt(nonce, [], [], tags.AsSpan((int)piece * TagBytes, TagBytes), plain.Slice(offset, length));
        }

        public void Dispose() => _gcm.Dispose();
    }
}
