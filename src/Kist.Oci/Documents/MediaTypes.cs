namespace Kist.Oci;

/// <summary>The media types of images (OCI image specification 1.1, media-types.md; Docker image manifest schema 2).</summary>
public static class MediaTypes
{
    /// <summary>An image manifest.</summary>
    public const string Manifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>An index: manifests for several platforms, or referrers.</summary>
    public const string Index = "application/vnd.oci.image.index.v1+json";

    /// <summary>An image configuration.</summary>
    public const string Configuration = "application/vnd.oci.image.config.v1+json";

    /// <summary>The empty JSON object that artifacts use where they have no configuration.</summary>
    public const string Empty = "application/vnd.oci.empty.v1+json";

    /// <summary>A layer that is not compressed.</summary>
    public const string Layer = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>A layer compressed with gzip.</summary>
    public const string LayerGzip = Layer + "+gzip";

    /// <summary>A layer compressed with Zstandard.</summary>
    public const string LayerZstd = Layer + "+zstd";

    /// <summary>A layer that may be fetched from elsewhere only (deprecated).</summary>
    public const string LayerNonDistributable = "application/vnd.oci.image.layer.nondistributable.v1.tar";

    /// <summary>Docker's image manifest, version 2 schema 2.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Docker's manifest list.</summary>
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>Docker's image configuration.</summary>
    public const string DockerConfiguration = "application/vnd.docker.container.image.v1+json";

    /// <summary>Docker's gzip layer.</summary>
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// <summary>Docker's layer without compression.</summary>
    public const string DockerLayerUncompressed = "application/vnd.docker.image.rootfs.diff.tar";

    /// <summary>Docker's gzip layer that lives elsewhere.</summary>
    public const string DockerLayerForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

    /// <summary>The suffix of an encrypted layer's media type (ocicrypt).</summary>
    public const string EncryptedSuffix = "+encrypted";

    /// <summary>True for an OCI or Docker image manifest.</summary>
    public static bool IsManifest(string? mediaType) => mediaType is Manifest or DockerManifest;

    /// <summary>True for an OCI index or a Docker manifest list.</summary>
    public static bool IsIndex(string? mediaType) => mediaType is Index or DockerManifestList;

    /// <summary>True if the layer is encrypted.</summary>
    public static bool IsEncrypted(string mediaType) => mediaType.EndsWith(EncryptedSuffix, StringComparison.Ordinal);

    /// <summary>The media type of the same layer decrypted.</summary>
    public static string WithoutEncryption(string mediaType) =>
        IsEncrypted(mediaType) ? mediaType[..^EncryptedSuffix.Length] : mediaType;

    /// <summary>
    /// How the content of a layer is compressed, once decrypted; null if the media type is no layer that is known here.
    /// </summary>
    public static LayerCompression? CompressionOf(string mediaType) => WithoutEncryption(mediaType) switch
    {
        Layer or LayerNonDistributable or DockerLayerUncompressed => LayerCompression.None,
        LayerGzip or LayerNonDistributable + "+gzip" or DockerLayer or DockerLayerForeign => LayerCompression.Gzip,
        LayerZstd or LayerNonDistributable + "+zstd" => LayerCompression.Zstd,
        _ => null,
    };

    /// <summary>The OCI layer media type for a compression.</summary>
    public static string LayerOf(LayerCompression compression) => compression switch
    {
        LayerCompression.None => Layer,
        LayerCompression.Gzip => LayerGzip,
        _ => LayerZstd,
    };
}

/// <summary>How a layer's tar archive is compressed.</summary>
public enum LayerCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>gzip (RFC 1952).</summary>
    Gzip,

    /// <summary>Zstandard (RFC 8878).</summary>
    Zstd,
}
