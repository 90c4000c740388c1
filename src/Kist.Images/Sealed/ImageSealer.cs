using System.Globalization;
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

    /// <summary>What may be seen to be equal to what.</summary>
    public SealedDedupe Dedupe { get; init; } = SealedDedupe.Image;

    /// <summary>The older version, sealed under the same key, for <see cref="SealedDedupe.Blocks"/>.</summary>
    public IImageSource? Base { get; init; }

    /// <summary>True makes a file system of each layer, so that images with equal lower layers share them. Needs root.</summary>
    public bool PerLayer { get; init; }

    /// <summary>Counts up with the image's releases; a policy can refuse what is older. 0 if nobody counts.</summary>
    public long Revision { get; init; }

    /// <summary>True makes every file root's. Needed where the caller is not root, who alone can restore owners.</summary>
    public bool AllRoot { get; init; }

    /// <summary>A directory for the plain tree and file system while they are worked on.</summary>
    public string TemporaryDirectory { get; init; } = Path.GetTempPath();
}

/// <summary>What an observer of sealed images may see to be equal, and so what registries and caches share.</summary>
public enum SealedDedupe
{
    /// <summary>Nothing: a random value goes into the keys. Two seals of one image share no blob and nothing can be compared.</summary>
    None,

    /// <summary>Whole blobs: the same files under the same key give the same bytes.</summary>
    Image,

    /// <summary>Runs of blocks: a new version points at what it has in common with an older one, and shows which runs those are.</summary>
    Blocks,
}

/// <summary>A sealed image that was written.</summary>
/// <param name="Digest">Digest of the artifact's manifest: what init-data or a policy pins.</param>
/// <param name="Source">Digest of the image that was sealed.</param>
/// <param name="Blobs">Digest and length of all its blobs.</param>
/// <param name="NewBytes">Length of the blobs that no older version had.</param>
public sealed record SealedImage(Digest Digest, Digest Source, IReadOnlyList<(Digest Digest, long Size)> Blobs, long NewBytes);

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

        if (options.Dedupe == SealedDedupe.Blocks != options.Base is not null)
            throw new ArgumentException("an older version goes with sharing blocks, and only with it", nameof(options));
        var work = Path.Combine(options.TemporaryDirectory, $"kist-seal-{Guid.NewGuid():N}");
        Directory.CreateDirectory(work);
        try
        {
            var pull = new PullOptions { Platform = options.Platform, SeparateLayers = options.PerLayer };
            var pulled = await ImagePuller.PullAsync(source, sourceKeys, work, pull, null, cancellationToken).ConfigureAwait(false);
            using var older = options.Base is null
                ? null
                : await ReadBaseAsync(options.Base, new FixedKeyProvider(keyId, imageKey), work, cancellationToken).ConfigureAwait(false);
            var context = options.Dedupe == SealedDedupe.None ? RandomNumberGenerator.GetBytes(32) : [];
            var sealer = new FileSystemSealer(imageKey, context, older, work);
            var manifest = await Task.Run(() => Seal(pulled, sealer, work, options, cancellationToken), cancellationToken).ConfigureAwait(false);
            return await PushAsync(manifest, sealer.NewBlobs, destination, keyId, imageKey, options, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            using var parent = DirectoryHandle.Open(options.TemporaryDirectory);
            parent.RemoveTree(System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(work)));
        }
    }

    private static async Task<BlockIndex> ReadBaseAsync(IImageSource source, FixedKeyProvider key, string work, CancellationToken cancellationToken)
    {
        var (opened, _) = await SealedImageReader.OpenAsync(source, key, cancellationToken).ConfigureAwait(false);
        var index = new BlockIndex();
        foreach (var blob in opened.Manifest.Blobs)
        {
            var path = Path.Combine(work, "base");
            using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1);
            File.Delete(path);
            var content = await source.OpenBlobAsync(DescriptorOf(blob), cancellationToken).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
                await content.CopyToAsync(file, 1024 * 1024, cancellationToken).ConfigureAwait(false);
            await Task.Run(() => index.Add(blob, file.SafeFileHandle, cancellationToken), cancellationToken).ConfigureAwait(false);
        }

        return index;
    }

    private static SealedManifest Seal(PulledImage pulled, FileSystemSealer sealer, string work, SealOptions options, CancellationToken cancellationToken)
    {
        string[] trees = options.PerLayer
            ? [.. Enumerable.Range(0, pulled.Layers).Select(i => Path.Combine(pulled.RootFileSystem, i.ToString(CultureInfo.InvariantCulture)))]
            : [pulled.RootFileSystem];
        if (trees.Length > SealedManifest.MaxBlobs)
        {
            throw new OperationFailedException(
                "seal image", pulled.ManifestDigest.ToString(), $"{trees.Length} layers are more than the {SealedManifest.MaxBlobs} disks of an image",
                "seal it as one file system");
        }

        var fileSystems = new List<SealedFileSystem>();
        foreach (var tree in trees)
        {
            var image = Path.Combine(work, "erofs");
            ErofsImage.Create(tree, image, options.AllRoot, cancellationToken);
            fileSystems.Add(sealer.Seal(image, SealedManifest.MaxBlobs / trees.Length - 1, cancellationToken));
        }

        return new SealedManifest
        {
            Version = SealedManifest.CurrentVersion,
            Revision = options.Revision,
            Source = pulled.ManifestDigest,
            Platform = $"{pulled.Config.Os}/{pulled.Config.Architecture}",
            Config = pulled.Config.Config ?? new ContainerConfiguration(),
            FileSystems = fileSystems,
        };
    }

    private static async Task<SealedImage> PushAsync(
        SealedManifest manifest, IReadOnlyList<NewBlob> newBlobs, IImageDestination destination, string keyId, ReadOnlyMemory<byte> imageKey,
        SealOptions options, CancellationToken cancellationToken)
    {
        var envelope = SealedEnvelopeCipher.Seal(manifest, keyId, imageKey.Span, options.Signer);
        manifest.WipeKeys();
        var layers = manifest.Blobs.Select(DescriptorOf).ToList();
        foreach (var layer in layers)
        {
            var made = newBlobs.FirstOrDefault(n => n.Blob.Digest == layer.Digest);
            if (made is not null)
                await destination.PushBlobAsync(layer, _ => Task.FromResult<Stream>(File.OpenRead(made.Path)), cancellationToken).ConfigureAwait(false);
            else if (!await destination.HasBlobAsync(layer, cancellationToken).ConfigureAwait(false))
                await destination.PushBlobAsync(layer, token => options.Base!.OpenBlobAsync(layer, token), cancellationToken).ConfigureAwait(false);
        }

        var config = new Descriptor { MediaType = SealedMediaTypes.Envelope, Digest = Digest.Of(envelope), Size = envelope.Length };
        await destination.PushBlobAsync(config, _ => Task.FromResult<Stream>(new MemoryStream(envelope)), cancellationToken).ConfigureAwait(false);
        var artifact = ManifestContent.Create(
            MediaTypes.Manifest,
            new ImageManifest { MediaType = MediaTypes.Manifest, ArtifactType = SealedMediaTypes.Artifact, Config = config, Layers = layers }.ToBytes());
        await destination.PushManifestAsync(artifact, isRoot: true, cancellationToken).ConfigureAwait(false);
        await destination.CommitAsync(cancellationToken).ConfigureAwait(false);
        return new SealedImage(artifact.Digest, manifest.Source, [.. layers.Select(l => (l.Digest, l.Size))], newBlobs.Sum(n => n.Blob.Size));
    }

    private static Descriptor DescriptorOf(SealedBlob blob) =>
        new() { MediaType = SealedMediaTypes.FileSystem, Digest = blob.Digest, Size = blob.Size };
}
