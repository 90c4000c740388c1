using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>AES-256-GCM with a random nonce: nonce (12 bytes), tag (16 bytes), ciphertext.</summary>
static class AesGcmBox
{
    public const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    public static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData)
    {
        var box = new byte[NonceBytes + TagBytes + plaintext.Length];
        var nonce = box.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var gcm = new AesGcm(key, TagBytes);
        gcm.Encrypt(nonce, plaintext, box.AsSpan(NonceBytes + TagBytes), box.AsSpan(NonceBytes, TagBytes), associatedData);
        return box;
    }

    /// <summary>Null if the box was sealed with another key or other associated data, or was changed.</summary>
    public static SecretBytes? Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> box, ReadOnlySpan<byte> associatedData)
    {
        if (box.Length < NonceBytes + TagBytes)
            return null;
        var plaintext = new SecretBytes(box.Length - NonceBytes - TagBytes);
        try
        {
            using var gcm = new AesGcm(key, TagBytes);
            gcm.Decrypt(box[..NonceBytes], box[(NonceBytes + TagBytes)..], box.Slice(NonceBytes, TagBytes), plaintext.Span, associatedData);
            return plaintext;
        }
        catch (AuthenticationTagMismatchException)
        {
            plaintext.Dispose();
            return null;
        }
    }
}
