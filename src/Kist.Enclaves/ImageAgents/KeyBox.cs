using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Enclaves.ImageAgents;

/// <summary>
/// A key for the holder of one ephemeral key: ECDH on P-256, HKDF-SHA256 (salt: both public keys, the box's maker first),
/// AES-256-GCM with a nonce of zeros, since the derived key is used once. 32 bytes and a tag of 16.
/// </summary>
static class KeyBox
{
    private const int KeySize = 32, TagSize = 16, NonceSize = 12;

    private static ReadOnlySpan<byte> Purpose => "kist image key 1"u8;

    /// <summary>Closes a key of 32 bytes into a box.</summary>
    public static byte[] Close(ReadOnlySpan<byte> key, ECDiffieHellman own, byte[] peer)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeySize, nameof(key));
        var box = new byte[KeySize + TagSize];
        using var cipher = Cipher(own, peer, own.ExportSubjectPublicKeyInfo(), peer);
        cipher.Encrypt(new byte[NonceSize], key, box.AsSpan(0, KeySize), box.AsSpan(KeySize));
        return box;
    }

    /// <summary>Opens a box. The caller disposes the key.</summary>
    /// <exception cref="OperationFailedException">It is for another key.</exception>
    public static SecretBytes Open(ReadOnlySpan<byte> box, ECDiffieHellman own, byte[] maker)
    {
        if (box.Length != KeySize + TagSize)
            throw new MalformedDataException("key box", -1, $"{box.Length} bytes, not {KeySize + TagSize}");
        var key = new SecretBytes(KeySize);
        try
        {
            using var cipher = Cipher(own, maker, maker, own.ExportSubjectPublicKeyInfo());
            cipher.Decrypt(new byte[NonceSize], box[..KeySize], box[KeySize..], key.Span);
            return key;
        }
        catch (AuthenticationTagMismatchException e)
        {
            key.Dispose();
            throw new OperationFailedException("open key box", "image key", "it is for another key, or was changed", inner: e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static AesGcm Cipher(ECDiffieHellman own, byte[] peer, byte[] maker, byte[] receiver)
    {
        using var other = ECDiffieHellman.Create();
        try
        {
            other.ImportSubjectPublicKeyInfo(peer, out var read);
            if (read != peer.Length || other.KeySize != 256)
                throw new MalformedDataException("public key", -1, "it is none of the curve P-256");
            var shared = own.DeriveRawSecretAgreement(other.PublicKey);
            var derived = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, KeySize, [.. maker, .. receiver], Purpose.ToArray());
            var cipher = new AesGcm(derived, TagSize);
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(derived);
            return cipher;
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException("public key", -1, "it is none of the curve P-256", e);
        }
    }
}
