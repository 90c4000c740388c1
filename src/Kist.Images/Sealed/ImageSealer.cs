using System.Security.Cryptography;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Linux.Files;
using Kist.Oci;

namespace Kist.Images.Sealed;

/// <summary>How an image is sealed.</summary>
public sealed record SealOptions
{
    /// <summary>Which image of an index.</summary>
    public Platform Platform { get; init; } = Platform.Current;

    /// <summary>The author's key (P-256 or P-384), or null: then only who has the image key can be its author.</summary>
    public ECDsa? Signer { get; init; }

    /// <summary>
    /// True mixes a random value into the keys: two seals of the same image then share nothing that can be seen, and share
    /// no blob in a registry or cache either.
    /// </summary>
    public bool Unlinkable { get; init; }

    /// <summary>Counts up with the image's releases; a policy can refuse what is older. 0 if nobody counts.</summary>
    public long Revision { get; init; }

    /// <summary>True makes every file root's. Needed where the caller is not root, who alone can restore owners.</summary>
    public bool AllRoot { get; init; }

    /// <summary>A directory for the plain tree and file system while they are worked on.</summary>
    public string TemporaryDirectory { get; init; } = Path.GetTempPath();
}

/// <summary>A sealed image that was written.</summary>
/// <param name="Digest">Digest of the artifact's manifest: what init-data or a policy pins.</param>
/// <param name="Source">Digest of the image that was sealed.</param>
/// <param name="Blobs">Digest and length of the blobs.</param>
public sealed record SealedImage(Digest Digest, Digest Source, IReadOnlyList<(Digest Digest, long Size)> Blobs);

/// <summary>Seals images: see docs/sealed-images.md. For the host of the image's author, not for the guest.</summary>
public static class ImageSealer
{
    /// <summary>Pulls, verifies, unpacks, and seals an image.</summary>
    /// <param name="source">The image.</param>
    /// <param name="sourceKeys">Keys, if it is encrypted.</param>
    /// <param name="destination">Where the artifact goes.</param>
    /// <param name="keyId">Resource URI of the image key.</param>
    /// <param name="imageKey">The image key, 32 bytes.</param>
    /// <param name="options">How to seal.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<SealedImage> SealAsync(
        IImageSource source, IReadOnlyList<ILayerKeyUnwrapper> sourceKeys, IImageDestination destination, string keyId, ReadOnlyMemory<byte> imageKey,
        SealOptions options, CancellationToken cancellationToken)
    {
        if (!options.AllRoot && !DirectoryHandle.CallerIsRoot)
        {
            throw new OperationFailedException(
                "seal image", source.Location, "only root can restore the owners of files", "run as root, or make every file root's (--all-root)");
        }

        var work = Path.Combine(options.TemporaryDirectory, $"kist-seal-{Guid.NewGuid():N}");
        Directory.CreateDirectory(work);
        try
        {
            var pulled = await ImagePuller.PullAsync(
                source, sourceKeys, work, new PullOptions { Platform = options.Platform }, null, cancellationToken).ConfigureAwait(false);
            var context = options.Unlinkable ? RandomNumberGenerator.GetBytes(32) : [];
            var sealedBlob = await Task.Run(
                () => SealTree(pulled.RootFileSystem, work, imageKey, context, options.AllRoot, cancellationToken), cancellationToken).ConfigureAwait(false);
            return await PushAsync(pulled, sealedBlob, Path.Combine(work, "blob"), destination, keyId, imageKey, options, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            using var parent = DirectoryHandle.Open(options.TemporaryDirectory);
            parent.RemoveTree(System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(work)));
        }
    }

    private static SealedBlob SealTree(
        string tree, string work, ReadOnlyMemory<byte> imageKey, byte[] context, bool allRoot, CancellationToken cancellationToken)
    {
        var image = Path.Combine(work, "erofs");
        ErofsImage.Create(tree, image, allRoot, cancellationToken);
        using var plain = new FileStream(image, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        using var blob = new FileStream(Path.Combine(work, "blob"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1);
        return SealedBlobWriter.Write(plain, blob, imageKey.Span, context, cancellationToken);
    }

    private static async Task<SealedImage> PushAsync(
        PulledImage pulled, SealedBlob sealedBlob, string blobPath, IImageDestination destination, string keyId, ReadOnlyMemory<byte> imageKey,
        SealOptions options, CancellationToken cancellationToken)
    {
        var manifest = new SealedManifest
        {
            Version = SealedManifest.CurrentVersion,
            Revision = options.Revision,
            Source = pulled.ManifestDigest,
            Platform = $"{pulled.Config.Os}/{pulled.Config.Architecture}",
            Config = pulled.Config.Config ?? new ContainerConfiguration(),
            FileSystems =
            [
                new SealedFileSystem
                {
                    Type = "erofs",
                    Blocks = sealedBlob.DataBlocks,
                    Blobs = [sealedBlob],
                    Extents = [new SealedExtent(0, 0, sealedBlob.DataBlocks)],
                },
            ],
        };
        var envelope = SealedEnvelopeCipher.Seal(manifest, keyId, imageKey.Span, options.Signer);
        manifest.WipeKeys();
        var config = new Descriptor { MediaType = SealedMediaTypes.Envelope, Digest = Digest.Of(envelope), Size = envelope.Length };
        var layer = new Descriptor { MediaType = SealedMediaTypes.FileSystem, Digest = sealedBlob.Digest, Size = sealedBlob.Size };
        await destination.PushBlobAsync(layer, _ => Task.FromResult<Stream>(File.OpenRead(blobPath)), cancellationToken).ConfigureAwait(false);
        await destination.PushBlobAsync(config, _ => Task.FromResult<Stream>(new MemoryStream(envelope)), cancellationToken).ConfigureAwait(false);
        var artifact = ManifestContent.Create(
            MediaTypes.Manifest,
            new ImageManifest { MediaType = MediaTypes.Manifest, ArtifactType = SealedMediaTypes.Artifact, Config = config, Layers = [layer] }.ToBytes());
        await destination.PushManifestAsync(artifact, isRoot: true, cancellationToken).ConfigureAwait(false);
        await destination.CommitAsync(cancellationToken).ConfigureAwait(false);
        return new SealedImage(artifact.Digest, pulled.ManifestDigest, [(layer.Digest, layer.Size)]);
    }
}
