namespace Kist.Oci;

/// <summary>How large the documents of an image may be. All are checked before anything is allocated.</summary>
public static class OciLimits
{
    /// <summary>A manifest, index or configuration: 4 MiB, as the distribution specification advises registries to accept.</summary>
    public const int MaxDocumentBytes = 4 * 1024 * 1024;

    /// <summary>Layers of one image. Docker stops at 127.</summary>
    public const int MaxLayers = 1024;

    /// <summary>Manifests of one index.</summary>
    public const int MaxManifests = 4096;

    /// <summary>Indexes inside indexes.</summary>
    public const int MaxIndexDepth = 4;

    /// <summary>A blob: 1 TiB.</summary>
    public const long MaxBlobBytes = 1L << 40;
}
