using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// AES_256_CTR_HMAC_SHA256, ocicrypt's layer cipher: AES-256-CTR, and HMAC-SHA-256 over the ciphertext under the same key.
/// The ciphertext is as long as the plaintext and has no frame; the HMAC stands in the public options.
/// </summary>
public static class LayerCipher
{
    /// <summary>The cipher's name in the public options.</summary>
    public const string Name = "AES_256_CTR_HMAC_SHA256";

    private const int ChunkBytes = 256 * 1024;

    /// <summary>Encrypts a layer under a new random key and nonce.</summary>
    /// <param name="plain">The layer, compressed as it is to be stored.</param>
    /// <param name="cipher">Where the ciphertext goes.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<LayerEncryption> EncryptAsync(Stream plain, Stream cipher, CancellationToken cancellationToken)
    {
        var key = GC.AllocateArray<byte>(Aes256Ctr.KeySize, pinned: true);
        RandomNumberGenerator.Fill(key);
        var nonce = RandomNumberGenerator.GetBytes(Aes256Ctr.NonceSize);
        using var ctr = new Aes256Ctr(key, nonce);
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        using var plainHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var cipherHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[ChunkBytes];
        long offset = 0;
        int count;
        while ((count = await plain.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)) > 0)
        {
            plainHash.AppendData(buffer, 0, count);
            ctr.Transform(buffer.AsSpan(0, count), buffer, offset);
            hmac.AppendData(buffer, 0, count);
            cipherHash.AppendData(buffer, 0, count);
            await cipher.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            offset += count;
        }

        return new LayerEncryption(
            new PrivateLayerOptions
            {
                SymmetricKey = key,
                Digest = Digest.FromSha256(plainHash.GetHashAndReset()),
                CipherOptions = new Dictionary<string, byte[]> { ["nonce"] = nonce },
            },
            new PublicLayerOptions { Cipher = Name, Hmac = hmac.GetHashAndReset(), CipherOptions = new Dictionary<string, byte[]>() },
            Digest.FromSha256(cipherHash.GetHashAndReset()),
            offset);
    }

    /// <summary>A hash that computes the HMAC of a ciphertext.</summary>
    public static IncrementalHash CreateHmac(PrivateLayerOptions options) =>
        IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, options.SymmetricKey);

    /// <summary>Judges a ciphertext's HMAC.</summary>
    /// <exception cref="OperationFailedException">The ciphertext is not the one that was encrypted.</exception>
    public static void CheckHmac(ReadOnlySpan<byte> actual, PublicLayerOptions options, string subject)
    {
        if (!CryptographicOperations.FixedTimeEquals(actual, options.Hmac))
        {
            throw new OperationFailedException(
                "verify layer", subject, "the HMAC of the encrypted layer is wrong: the layer, its annotations or its key were changed",
                "do not use this image; encrypt and push it again");
        }
    }
}

/// <summary>The result of encrypting a layer.</summary>
/// <param name="Private">Its secrets, to be wrapped for each recipient. The caller disposes them.</param>
/// <param name="Public">What goes into the annotation.</param>
/// <param name="Digest">Digest of the ciphertext.</param>
/// <param name="Size">Its length.</param>
public sealed record LayerEncryption(PrivateLayerOptions Private, PublicLayerOptions Public, Digest Digest, long Size);
