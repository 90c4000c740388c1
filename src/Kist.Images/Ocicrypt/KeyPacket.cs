using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// The packet that Confidential Containers put into the annotation of their key provider: the layer's private options,
/// encrypted under a key that the key broker holds (image-rs annotation_packet, versions 1 and 2).
/// </summary>
public sealed record KeyPacket
{
    /// <summary>AES-256-GCM: 12 bytes of IV, the tag at the end of the wrapped data, no associated data.</summary>
    public const string Gcm = "A256GCM";

    /// <summary>AES-256-CTR, without any integrity.</summary>
    public const string Ctr = "A256CTR";

    private const int IvSize = 12;
    private const int TagSize = 16;

    /// <summary>"0.1.0" in version 2; null in version 1.</summary>
    public string? Version { get; init; }

    /// <summary>The key's resource URI, kbs:///repository/type/tag.</summary>
    public required string Kid { get; init; }

    /// <summary>The private options, encrypted; base64.</summary>
    public required byte[] WrappedData { get; init; }

    /// <summary>The IV; base64.</summary>
    public byte[]? Iv { get; init; }

    /// <summary><see cref="Gcm"/> (if missing too) or <see cref="Ctr"/>.</summary>
    public string? WrapType { get; init; }

    /// <summary>Who holds the key: "kbs" (if missing too) or a cloud's key service.</summary>
    public string? Provider { get; init; }

    /// <summary>Settings of that provider.</summary>
    public JsonElement? ProviderSettings { get; init; }

    /// <summary>Annotations of that provider.</summary>
    public JsonElement? Annotations { get; init; }

    /// <summary>Reads a packet of either version.</summary>
    public static KeyPacket Parse(ReadOnlySpan<byte> json) => OcicryptJson.Parse(json, OcicryptJson.Context.KeyPacket, "key packet");

    /// <summary>The JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, OcicryptJson.Context.KeyPacket);

    /// <summary>Wraps private options under a key that the broker holds, as a version 2 packet, which version 1 readers read too.</summary>
    /// <param name="privateOptions">What is wrapped.</param>
    /// <param name="keyId">The key's resource URI.</param>
    /// <param name="key">The key, 32 bytes.</param>
    public static KeyPacket Wrap(ReadOnlySpan<byte> privateOptions, string keyId, ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, 32);
        var iv = RandomNumberGenerator.GetBytes(IvSize);
        var wrapped = new byte[privateOptions.Length + TagSize];
        using var gcm = new AesGcm(key, TagSize);
        gcm.Encrypt(iv, privateOptions, wrapped.AsSpan(0, privateOptions.Length), wrapped.AsSpan(privateOptions.Length));
        return new KeyPacket { Kid = keyId, WrappedData = wrapped, Iv = iv, WrapType = Gcm };
    }

    /// <summary>Opens the packet.</summary>
    /// <param name="key">The key of <see cref="Kid"/>, 32 bytes.</param>
    /// <param name="allowUnauthenticated">True accepts A256CTR, whose content anybody can change.</param>
    /// <returns>The private options' JSON. The caller wipes it.</returns>
    /// <exception cref="OperationFailedException">The key does not fit, or the wrapping is not accepted.</exception>
    public byte[] Unwrap(ReadOnlySpan<byte> key, bool allowUnauthenticated = false)
    {
        if (Provider is not (null or "kbs"))
            throw Refused($"the key is held by '{Provider}', which Kist cannot ask");
        if (key.Length != 32)
            throw Refused($"the broker's key has {key.Length} bytes, not 32");
        return WrapType switch
        {
            null or Gcm => UnwrapGcm(key),
            Ctr when allowUnauthenticated => UnwrapCtr(key),
            Ctr => throw Refused("the key is wrapped with A256CTR, which nothing authenticates"),
            _ => throw Refused($"the wrap type '{WrapType}' is not known"),
        };
    }

    private byte[] UnwrapGcm(ReadOnlySpan<byte> key)
    {
        if (Iv is not { Length: IvSize } || WrappedData.Length < TagSize)
            throw new MalformedDataException("key packet", -1, "the IV has not 12 bytes, or the wrapped data no tag");
        var plain = GC.AllocateArray<byte>(WrappedData.Length - TagSize, pinned: true);
        using var gcm = new AesGcm(key, TagSize);
        try
        {
            gcm.Decrypt(Iv, WrappedData.AsSpan(0, plain.Length), WrappedData.AsSpan(plain.Length), plain);
            return plain;
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new OperationFailedException(
                "unwrap layer key", Kid, "the broker's key does not open it", "was the image encrypted with another key of that name?", inner: e);
        }
    }

    private byte[] UnwrapCtr(ReadOnlySpan<byte> key)
    {
        if (Iv is not { Length: Aes256Ctr.NonceSize })
            throw new MalformedDataException("key packet", -1, "the IV has not 16 bytes");
        var plain = GC.AllocateArray<byte>(WrappedData.Length, pinned: true);
        using var ctr = new Aes256Ctr(key, Iv);
        ctr.Transform(WrappedData, plain, 0);
        return plain;
    }

    private OperationFailedException Refused(string reason) => new("unwrap layer key", Kid, reason);
}
