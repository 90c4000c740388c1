using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Images.Sealed;

/// <summary>Encrypts and opens sealed manifests: AES-256-GCM under a key derived from the image key, the key's name bound as associated data.</summary>
public static class SealedEnvelopeCipher
{
    private const int TagSize = 16;

    /// <summary>Encrypts a manifest, signed if there is a signing key.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="keyId">Resource URI of the image key.</param>
    /// <param name="imageKey">The image key, 32 bytes.</param>
    /// <param name="signer">The author's key, or null. With it the result differs each time, for ECDSA is randomised.</param>
    /// <returns>The envelope's JSON.</returns>
    public static byte[] Seal(SealedManifest manifest, string keyId, ReadOnlySpan<byte> imageKey, ECDsa? signer)
    {
        var json = manifest.ToBytes();
        var plaintext = signer is null ? json : Encoding.ASCII.GetBytes(JwsToken.Sign(signer, json));
        try
        {
            var nonce = SealedKeys.ManifestNonce(imageKey, plaintext);
            var ciphertext = new byte[plaintext.Length + TagSize];
            using var key = SealedKeys.ManifestKey(imageKey);
            using var gcm = new AesGcm(key.Span, TagSize);
            gcm.Encrypt(nonce, plaintext, ciphertext.AsSpan(0, plaintext.Length), ciphertext.AsSpan(plaintext.Length), AssociatedData(keyId));
            var envelope = new SealedEnvelope { Version = SealedManifest.CurrentVersion, Kid = keyId, Nonce = nonce, Ciphertext = ciphertext };
            return JsonSerializer.SerializeToUtf8Bytes(envelope, SealedJson.Context.SealedEnvelope);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(json);
            CryptographicOperations.ZeroMemory(plaintext);
        }
    }

    /// <summary>Reads an envelope without opening it.</summary>
    public static SealedEnvelope Parse(ReadOnlySpan<byte> json)
    {
        var envelope = SealedJson.Parse(json, SealedJson.Context.SealedEnvelope, "sealed envelope");
        if (envelope.Version != SealedManifest.CurrentVersion)
            throw new MalformedDataException("sealed envelope", -1, $"version {envelope.Version} is not known, only {SealedManifest.CurrentVersion}");
        if (envelope.Nonce.Length != 12 || envelope.Ciphertext.Length < TagSize)
            throw new MalformedDataException("sealed envelope", -1, "the nonce has not 12 bytes, or the ciphertext no tag");
        return envelope;
    }

    /// <summary>Opens an envelope.</summary>
    /// <param name="envelope">The envelope.</param>
    /// <param name="imageKey">The image key, 32 bytes.</param>
    /// <param name="authors">
    /// Whose signature is needed; empty accepts any, signed or not (the key then proves that somebody who had it sealed it).
    /// </param>
    /// <exception cref="OperationFailedException">The key does not fit, or no author's signature is right.</exception>
    public static SealedManifest Open(SealedEnvelope envelope, ReadOnlySpan<byte> imageKey, IReadOnlyList<JsonWebKey> authors)
    {
        if (imageKey.Length != 32)
            throw Refused(envelope, $"the image key has {imageKey.Length} bytes, not 32");
        using var plaintext = new SecretBytes(envelope.Ciphertext.Length - TagSize);
        using var key = SealedKeys.ManifestKey(imageKey);
        using var gcm = new AesGcm(key.Span, TagSize);
        try
        {
            gcm.Decrypt(
                envelope.Nonce, envelope.Ciphertext.AsSpan(0, plaintext.Length), envelope.Ciphertext.AsSpan(plaintext.Length), plaintext.Span,
                AssociatedData(envelope.Kid));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw Refused(envelope, "the key does not open the manifest: it is another image's key, or the manifest was changed", e);
        }

        return Read(envelope, plaintext.Span, authors);
    }

    private static SealedManifest Read(SealedEnvelope envelope, ReadOnlySpan<byte> plaintext, IReadOnlyList<JsonWebKey> authors)
    {
        if (plaintext.StartsWith("{"u8))
        {
            return authors.Count == 0
                ? SealedManifest.Parse(plaintext)
                : throw Refused(envelope, "the manifest is not signed, and a signature is required");
        }

        var token = JwsToken.Parse(Encoding.UTF8.GetString(plaintext));
        if (authors.Count > 0 && !authors.Any(token.Verify))
            throw Refused(envelope, "the manifest is signed by none of the authors that are trusted");
        return SealedManifest.Parse(token.Payload.Span);
    }

    private static byte[] AssociatedData(string keyId) => Encoding.UTF8.GetBytes("kist sealed manifest v1\0" + keyId);

    private static OperationFailedException Refused(SealedEnvelope envelope, string reason, Exception? inner = null) =>
        new("open sealed image", envelope.Kid, reason, inner: inner);
}
