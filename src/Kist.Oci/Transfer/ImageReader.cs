using Kist.Formats;

namespace Kist.Oci;

/// <summary>Reads the documents of an image from any source, with every digest checked.</summary>
public static class ImageReader
{
    /// <summary>The manifest for a platform: follows indexes.</summary>
    /// <exception cref="OperationFailedException">There is no image for that platform.</exception>
    public static async Task<ManifestContent> ResolveManifestAsync(IImageSource source, Platform platform, CancellationToken cancellationToken) =>
        (await ResolveChainAsync(source, platform, cancellationToken).ConfigureAwait(false))[^1];

    /// <summary>The way to the manifest for a platform: the indexes from the one that the source names, and the manifest last.</summary>
    /// <exception cref="OperationFailedException">There is no image for that platform.</exception>
    public static async Task<IReadOnlyList<ManifestContent>> ResolveChainAsync(IImageSource source, Platform platform, CancellationToken cancellationToken)
    {
        var chain = new List<ManifestContent>();
        var content = await source.ResolveAsync(cancellationToken).ConfigureAwait(false);
        while (chain.Count < OciLimits.MaxIndexDepth)
        {
            chain.Add(content);
            if (!MediaTypes.IsIndex(content.MediaType))
            {
                return MediaTypes.IsManifest(content.MediaType)
                    ? chain
                    : throw new MalformedDataException("image manifest", -1, $"media type '{content.MediaType}' is no image manifest or index");
            }

            var index = ImageIndex.Parse(content.Bytes.Span);
            var chosen = index.Select(platform) ?? throw new OperationFailedException(
                "choose platform", source.Location, $"the index has no image for {platform}",
                "it has: " + string.Join(", ", index.Manifests.Select(m => m.Platform?.ToString() ?? "(no platform)").Distinct()));
            content = await source.FetchManifestAsync(chosen, cancellationToken).ConfigureAwait(false);
        }

        throw new MalformedDataException("image index", -1, $"indexes are nested more than {OciLimits.MaxIndexDepth} deep");
    }

    /// <summary>The configuration of an image; as many diff_ids as layers.</summary>
    public static async Task<(ImageConfiguration Configuration, byte[] Bytes)> ReadConfigurationAsync(
        IImageSource source, ImageManifest manifest, CancellationToken cancellationToken)
    {
        var bytes = await ReadDocumentAsync(source, manifest.Config, "image configuration", cancellationToken).ConfigureAwait(false);
        var configuration = ImageConfiguration.Parse(bytes);
        if (configuration.Rootfs.DiffIds.Count != manifest.Layers.Count)
        {
            throw new MalformedDataException(
                "image configuration", -1, $"{configuration.Rootfs.DiffIds.Count} diff_ids for {manifest.Layers.Count} layers");
        }

        return (configuration, bytes);
    }

    /// <summary>Reads a small blob into memory: at most <see cref="OciLimits.MaxDocumentBytes"/>.</summary>
    public static async Task<byte[]> ReadDocumentAsync(
        IImageSource source, Descriptor descriptor, string structure, CancellationToken cancellationToken)
    {
        if (descriptor.Size > OciLimits.MaxDocumentBytes)
            throw new MalformedDataException(structure, -1, $"{descriptor.Size} bytes, more than the limit of {OciLimits.MaxDocumentBytes}");
        var stream = await source.OpenBlobAsync(descriptor, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var bytes = new byte[descriptor.Size];
            await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            // The digest is judged when the end is seen.
            if (await stream.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false) != 0)
                throw new MalformedDataException(structure, descriptor.Size, "longer than its descriptor says");
            return bytes;
        }
    }
}
