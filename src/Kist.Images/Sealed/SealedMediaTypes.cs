namespace Kist.Images.Sealed;

/// <summary>Media types of the artifact that holds a sealed image.</summary>
public static class SealedMediaTypes
{
    /// <summary>The artifact's type.</summary>
    public const string Artifact = "application/vnd.kist.sealed-image.v1";

    /// <summary>The encrypted manifest: the artifact's configuration blob.</summary>
    public const string Envelope = "application/vnd.kist.sealed-image.manifest.v1+json";

    /// <summary>A file system: encrypted blocks, verity superblock, verity tree.</summary>
    public const string FileSystem = "application/vnd.kist.sealed-image.erofs.v1";

    /// <summary>True if an image manifest is that of a sealed image.</summary>
    public static bool IsSealed(Oci.ImageManifest manifest) => manifest.Config.MediaType == Envelope;
}
