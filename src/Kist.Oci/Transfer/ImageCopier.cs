using Kist.Formats;

namespace Kist.Oci;

/// <summary>Copies images between places without changing a byte.</summary>
public static class ImageCopier
{
    /// <summary>Copies an image, or an index with all its images.</summary>
    /// <returns>The descriptor of what was copied.</returns>
    public static async Task<Descriptor> CopyAsync(
        IImageSource source, IImageDestination destination, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var root = await source.ResolveAsync(cancellationToken).ConfigureAwait(false);
        await CopyManifestAsync(source, destination, root, isRoot: true, depth: 0, progress, cancellationToken).ConfigureAwait(false);
        await destination.CommitAsync(cancellationToken).ConfigureAwait(false);
        return root.Descriptor;
    }

    /// <summary>Copies one blob unless it is there.</summary>
    public static async Task CopyBlobAsync(
        IImageSource source, IImageDestination destination, Descriptor blob, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        if (await destination.HasBlobAsync(blob, cancellationToken).ConfigureAwait(false))
        {
            progress?.Report(new(blob.Digest, blob.Size, blob.Size, AlreadyThere: true));
            return;
        }

        if (source is RegistryRepository from && destination is RegistryRepository to
            && await to.TryMountAsync(blob, from, cancellationToken).ConfigureAwait(false))
        {
            progress?.Report(new(blob.Digest, blob.Size, blob.Size, AlreadyThere: true));
            return;
        }

        await destination.PushBlobAsync(blob, token => source.OpenBlobAsync(blob, token), cancellationToken).ConfigureAwait(false);
        progress?.Report(new(blob.Digest, blob.Size, blob.Size, AlreadyThere: false));
    }

    private static async Task CopyManifestAsync(
        IImageSource source, IImageDestination destination, ManifestContent content, bool isRoot, int depth,
        IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        if (depth > OciLimits.MaxIndexDepth)
            throw new MalformedDataException("image index", -1, $"indexes are nested more than {OciLimits.MaxIndexDepth} deep");
        if (MediaTypes.IsIndex(content.MediaType))
        {
            foreach (var inner in ImageIndex.Parse(content.Bytes.Span).Manifests)
            {
                var child = await source.FetchManifestAsync(inner, cancellationToken).ConfigureAwait(false);
                await CopyManifestAsync(source, destination, child, isRoot: false, depth + 1, progress, cancellationToken).ConfigureAwait(false);
            }
        }
        else
        {
            var manifest = ImageManifest.Parse(content.Bytes.Span);
            foreach (var blob in manifest.Layers.Append(manifest.Config))
                await CopyBlobAsync(source, destination, blob, progress, cancellationToken).ConfigureAwait(false);
        }

        await destination.PushManifestAsync(content, isRoot, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>How far a transfer is.</summary>
/// <param name="Digest">The blob.</param>
/// <param name="Done">Bytes done.</param>
/// <param name="Total">Bytes in all.</param>
/// <param name="AlreadyThere">True if nothing needed to be sent.</param>
public readonly record struct TransferProgress(Digest Digest, long Done, long Total, bool AlreadyThere);
