using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.Images.Sealed;

/// <summary>
/// Derives everything that sealing needs from the image key (32 bytes, held by the broker) by HKDF-SHA-256, so that the same
/// input and key give the same bytes. The info of every derivation begins with "kist sealed image v1 " and its purpose.
/// </summary>
static class SealedKeys
{
    private const string Prefix = "kist sealed image v1 ";

    /// <summary>The key under which contents are digested; see <see cref="ContentDigest"/>.</summary>
    public static SecretBytes ContentKey(ReadOnlySpan<byte> imageKey)
    {
        var key = new SecretBytes(32);
        Derive(imageKey, "content", [], [], key.Span);
        return key;
    }

    /// <summary>The key of a file system's blocks: from the image key and what is in the file system, never used for anything else.</summary>
    public static SecretBytes BlockKey(ReadOnlySpan<byte> imageKey, ReadOnlySpan<byte> contentDigest, ReadOnlySpan<byte> context)
    {
        var key = new SecretBytes(AesXts.KeySize);
        Derive(imageKey, "blocks", contentDigest, context, key.Span);
        return key;
    }

    /// <summary>The salt of a file system's verity tree; public.</summary>
    public static byte[] VeritySalt(ReadOnlySpan<byte> imageKey, ReadOnlySpan<byte> contentDigest, ReadOnlySpan<byte> context)
    {
        var salt = new byte[32];
        Derive(imageKey, "verity salt", contentDigest, context, salt);
        return salt;
    }

    /// <summary>The key that encrypts manifests.</summary>
    public static SecretBytes ManifestKey(ReadOnlySpan<byte> imageKey)
    {
        var key = new SecretBytes(32);
        Derive(imageKey, "manifest", [], [], key.Span);
        return key;
    }

    /// <summary>
    /// The nonce of a manifest's encryption: a function of the key and of what is encrypted, so no two manifests share one
    /// and equal manifests stay equal.
    /// </summary>
    public static byte[] ManifestNonce(ReadOnlySpan<byte> imageKey, ReadOnlySpan<byte> plaintext)
    {
        var nonce = new byte[12];
        Derive(imageKey, "manifest nonce", SHA256.HashData(plaintext), [], nonce);
        return nonce;
    }

    private static void Derive(ReadOnlySpan<byte> imageKey, string purpose, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> context, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(imageKey.Length, 32);
        byte[] info = [.. Encoding.ASCII.GetBytes(Prefix + purpose), 0, .. digest, .. context];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, imageKey, output, salt: [], info);
    }
}
