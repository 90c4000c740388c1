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
        var plaintext = signer is null ? json : Sign(signer, json);
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

    /// <summary>Opens an envelope, and verifies the signature if there is one.</summary>
    /// <param name="envelope">The envelope.</param>
    /// <param name="imageKey">The image key, 32 bytes.</param>
    /// <exception cref="OperationFailedException">The key does not fit, or the signature is wrong.</exception>
    public static OpenedManifest Open(SealedEnvelope envelope, ReadOnlySpan<byte> imageKey)
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

        return Read(envelope, plaintext.Span);
    }

    /// <summary>
    /// A signature, a line feed, and the manifest: the signature's payload is the manifest's SHA-256, so that the keys in the
    /// manifest need not go through text.
    /// </summary>
    // The key in the header proves nothing by itself: whoever relies on the author compares its thumbprint with one that he trusts.
    private static byte[] Sign(ECDsa signer, byte[] manifest)
    {
        var author = EcJsonWebKey.FromPublicKey(signer, null);
        var token = JwsToken.Sign(signer, SHA256.HashData(manifest), header =>
        {
            header.WritePropertyName("jwk"u8);
            author.WriteTo(header);
        });
        return [.. Encoding.ASCII.GetBytes(token), (byte)'\n', .. manifest];
    }

    private static OpenedManifest Read(SealedEnvelope envelope, ReadOnlySpan<byte> plaintext)
    {
        if (plaintext.StartsWith("{"u8))
            return new OpenedManifest(SealedManifest.Parse(plaintext), null);
        var end = plaintext.IndexOf((byte)'\n');
        if (end < 0)
            throw new MalformedDataException("sealed envelope", -1, "it holds neither a manifest nor a signed one");
        var manifest = plaintext[(end + 1)..];
        var token = JwsToken.Parse(Encoding.UTF8.GetString(plaintext[..end]));
        if (!token.Header.TryGetProperty("jwk", out var author))
            throw Refused(envelope, "the signature does not say by whose key it is");
        var key = JsonWebKey.Parse(author);
        return token.Verify(key) && CryptographicOperations.FixedTimeEquals(token.Payload.Span, SHA256.HashData(manifest))
            ? new OpenedManifest(SealedManifest.Parse(manifest), key.Thumbprint())
            : throw Refused(envelope, "the manifest's signature is wrong");
    }

    private static byte[] AssociatedData(string keyId) => Encoding.UTF8.GetBytes("kist sealed manifest v1\0" + keyId);

    private static OperationFailedException Refused(SealedEnvelope envelope, string reason, Exception? inner = null) =>
        new("open sealed image", envelope.Kid, reason, inner: inner);
}

/// <summary>A sealed manifest that was decrypted.</summary>
/// <param name="Manifest">The manifest.</param>
/// <param name="Author">RFC 7638 thumbprint of the key whose signature was verified; null if the manifest is not signed.</param>
public sealed record OpenedManifest(SealedManifest Manifest, string? Author);
