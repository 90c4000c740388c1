using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images.Sealed;

/// <summary>
/// Opens and mounts a sealed image in the guest. Its documents come from the registry, its blocks from disks that the host
/// attached; none of it is trusted before the manifest's encryption and each block's hash have been verified.
/// </summary>
public static class SealedPuller
{
    /// <summary>True if the platform's manifest is that of a sealed image.</summary>
    public static bool IsSealed(IReadOnlyList<ManifestContent> chain) => SealedMediaTypes.IsSealed(ImageManifest.Parse(chain[^1].Bytes.Span));

    /// <summary>Opens an image, has it approved, and mounts it read-only.</summary>
    /// <param name="source">Where the artifact's documents are.</param>
    /// <param name="chain">As <see cref="ImageReader.ResolveChainAsync"/> gave it.</param>
    /// <param name="keys">Who has the image key.</param>
    /// <param name="place">Where it is mounted, and from which disks.</param>
    /// <param name="options">Policy, approval, announcement and what is mounted already, as for ordinary images.</param>
    /// <param name="cancellationToken">Stops it; nothing is left.</param>
    /// <returns>The image, and what holds it mounted: null if it was already.</returns>
    public static async Task<(PulledImage Image, SealedMount? Mount)> MountAsync(
        IImageSource source, IReadOnlyList<ManifestContent> chain, ILayerKeyProvider keys, SealedMountPlace place, PullOptions options,
        CancellationToken cancellationToken)
    {
        if (options.Policy is { } policy)
            await ImagePuller.RequireSignaturesAsync(policy, source, chain, cancellationToken).ConfigureAwait(false);
        var content = chain[^1];
        if (options.BeforeKeys is { } announce)
            await announce(content.Digest, cancellationToken).ConfigureAwait(false);
        var opened = await SealedImageReader.OpenAsync(source, content, keys, cancellationToken).ConfigureAwait(false);
        var manifest = opened.Manifest;
        try
        {
            // The configuration is secret, so that it can be judged only now; nothing of the image has been read yet.
            var candidate = Candidate(content, opened);
            if (options.Approve is { } approve)
                await approve(candidate, cancellationToken).ConfigureAwait(false);
            if (options.FindUnpacked is { } find && await find(content.Digest, cancellationToken).ConfigureAwait(false) is { } mounted)
                return (Pulled(candidate, mounted), null);
            Directory.CreateDirectory(place.Root);
            var mount = await Task.Run(() => SealedMount.Mount(manifest, place), cancellationToken).ConfigureAwait(false);
            return (Pulled(candidate, place.Root), mount);
        }
        finally
        {
            manifest.WipeKeys();
        }
    }

    private static PulledImage Pulled(PullCandidate image, string root) => new(
        image.Config, ReadOnlyMemory<byte>.Empty, image.ManifestDigest, root, image.EncryptedLayers, image.Layers, ExtractionReport.None);

    private static PullCandidate Candidate(ManifestContent content, OpenedManifest opened)
    {
        var (os, architecture) = opened.Manifest.Platform.Split('/') is [var first, var second] ? (first, second) : (opened.Manifest.Platform, "");
        var configuration = new ImageConfiguration
        {
            Os = os,
            Architecture = architecture,
            Config = opened.Manifest.Config,
            Rootfs = new RootFileSystemDigests { Type = "layers", DiffIds = [] },
        };
        var blobs = opened.Manifest.Blobs;
        return new PullCandidate(
            configuration, content.Digest, ImageManifest.Parse(content.Bytes.Span).Config.Digest, blobs.Count, blobs.Count, blobs.Sum(b => b.Size))
        {
            Sealed = new SealedFacts(opened.Manifest.Revision, opened.Author),
        };
    }
}
