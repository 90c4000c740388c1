using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images;

/// <summary>Reads an encrypted image back from where it was pushed and proves that it is whole and decrypts.</summary>
public static class EncryptionProof
{
    /// <summary>
    /// For every platform: the manifest is the one that was pushed; every layer that should be encrypted is, by its media
    /// type; its digest, HMAC and, decrypted and decompressed, its diff_id are right.
    /// </summary>
    /// <exception cref="OperationFailedException">Something is not as it was pushed.</exception>
    public static async Task ProveAsync(
        IImageSource source, EncryptedImage expected, IReadOnlyList<ILayerKeyUnwrapper> keys, CancellationToken cancellationToken)
    {
        var root = await source.ResolveAsync(cancellationToken).ConfigureAwait(false);
        if (root.Digest != expected.Digest)
            throw new ContentMismatchException(source.Location, expected.Digest, $"the destination now has {root.Digest}");
        foreach (var image in expected.Images)
        {
            var manifest = await ReadManifestAsync(source, root, image.ManifestDigest, 0, cancellationToken).ConfigureAwait(false)
                ?? throw new ContentMismatchException(source.Location, image.ManifestDigest, "the index does not list it");
            for (var i = 0; i < image.Layers.Count; i++)
                await ProveLayerAsync(source, manifest.Layers[i], image.Layers[i], keys, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<ImageManifest?> ReadManifestAsync(
        IImageSource source, ManifestContent content, Digest digest, int depth, CancellationToken cancellationToken)
    {
        if (content.Digest == digest && MediaTypes.IsManifest(content.MediaType))
            return ImageManifest.Parse(content.Bytes.Span);
        if (!MediaTypes.IsIndex(content.MediaType) || depth > OciLimits.MaxIndexDepth)
            return null;
        foreach (var inner in ImageIndex.Parse(content.Bytes.Span).Manifests)
        {
            var child = await source.FetchManifestAsync(inner, cancellationToken).ConfigureAwait(false);
            if (await ReadManifestAsync(source, child, digest, depth + 1, cancellationToken).ConfigureAwait(false) is { } manifest)
                return manifest;
        }

        return null;
    }

    private static async Task ProveLayerAsync(
        IImageSource source, Descriptor layer, EncryptedLayerResult expected, IReadOnlyList<ILayerKeyUnwrapper> keys, CancellationToken cancellationToken)
    {
        if (layer.Digest != expected.Digest || MediaTypes.IsEncrypted(layer.MediaType) != expected.IsEncrypted)
            throw new ContentMismatchException(source.Location, expected.Digest, "the manifest names another layer, or in clear");
        var stored = await source.OpenBlobAsync(layer, cancellationToken).ConfigureAwait(false);
        await using (stored.ConfigureAwait(false))
        {
            if (!expected.IsEncrypted)
            {
                await Task.Run(() => HashArchive(stored, layer, expected.DiffId), cancellationToken).ConfigureAwait(false);
                return;
            }

            using var secrets = await LayerKeys.UnwrapAsync(layer, keys, cancellationToken).ConfigureAwait(false);
            using var plain = new DecryptingStream(stored, secrets, EncryptionAnnotations.ReadPublicOptions(layer), layer.Digest.ToString());
            await Task.Run(() => HashArchive(plain, layer, expected.DiffId), cancellationToken).ConfigureAwait(false);
        }
    }

    private static void HashArchive(Stream content, Descriptor layer, Digest diffId)
    {
        using var hash = diffId.CreateHash();
        using (var archive = LayerApplier.Decompress(content, MediaTypes.CompressionOf(layer.MediaType)!.Value))
        {
            var buffer = new byte[256 * 1024];
            int count;
            while ((count = archive.Read(buffer)) > 0)
                hash.AppendData(buffer, 0, count);
            // A decompressor stops at the end of its data; digest and HMAC are judged at the end of the blob.
            while (content.Read(buffer) > 0)
            {
            }
        }

        if (!diffId.MatchesHash(hash.GetHashAndReset()))
            throw new ContentMismatchException("decrypted layer", diffId, "it decrypts to something else");
    }
}
