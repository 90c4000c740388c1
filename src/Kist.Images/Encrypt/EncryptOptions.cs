using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images;

/// <summary>How an image is encrypted.</summary>
public sealed record EncryptOptions
{
    /// <summary>
    /// Indexes of the layers to encrypt, lowest layer 0; negative ones count from the top. Null encrypts all. Layers that stay
    /// in clear are listed in the result.
    /// </summary>
    public IReadOnlyList<int>? OnlyLayers { get; init; }

    /// <summary>The one platform of an index to encrypt, or null for all of them.</summary>
    public Platform? Platform { get; init; }

    /// <summary>
    /// Keys that open layers which are encrypted already. Such layers stay as they are, and get the recipients beside those that
    /// they have. A layer that none of these opens is refused.
    /// </summary>
    public IReadOnlyList<ILayerKeyUnwrapper> DecryptionKeys { get; init; } = [];

    /// <summary>Where encrypted layers wait for their upload.</summary>
    public string TemporaryDirectory { get; init; } = Path.GetTempPath();
}

/// <summary>An image that was encrypted and pushed.</summary>
/// <param name="Digest">Digest of the manifest or index that the destination's tag names.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Images">One entry a platform.</param>
/// <param name="LeftOut">Manifests of the index that are no images (build attestations): they were not copied.</param>
public sealed record EncryptedImage(Digest Digest, string MediaType, IReadOnlyList<EncryptedPlatformImage> Images, IReadOnlyList<Digest> LeftOut);

/// <summary>One platform's image.</summary>
/// <param name="Platform">The platform as the configuration says.</param>
/// <param name="ManifestDigest">Digest of its manifest.</param>
/// <param name="Layers">Its layers.</param>
public sealed record EncryptedPlatformImage(string Platform, Digest ManifestDigest, IReadOnlyList<EncryptedLayerResult> Layers);

/// <summary>One layer.</summary>
/// <param name="Digest">Digest of the layer as stored.</param>
/// <param name="Size">Its length.</param>
/// <param name="DiffId">Digest of its archive.</param>
/// <param name="IsEncrypted">False if it was left in clear on request.</param>
public sealed record EncryptedLayerResult(Digest Digest, long Size, Digest DiffId, bool IsEncrypted);
