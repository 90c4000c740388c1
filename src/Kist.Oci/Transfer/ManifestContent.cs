namespace Kist.Oci;

/// <summary>A manifest or index exactly as it was stored: digests are over these bytes and no others.</summary>
/// <param name="MediaType">Its media type.</param>
/// <param name="Digest">Digest of <paramref name="Bytes"/>.</param>
/// <param name="Bytes">The document.</param>
public sealed record ManifestContent(string MediaType, Digest Digest, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>A descriptor of it.</summary>
    public Descriptor Descriptor => new() { MediaType = MediaType, Digest = Digest, Size = Bytes.Length };

    /// <summary>A document that was just made.</summary>
    public static ManifestContent Create(string mediaType, byte[] bytes) => new(mediaType, Digest.Of(bytes), bytes);
}
