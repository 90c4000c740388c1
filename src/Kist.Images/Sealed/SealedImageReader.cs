using System.Security.Cryptography;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images.Sealed;

/// <summary>Reads what a guest needs of a sealed image: the small documents. Blocks come later, through the block devices.</summary>
public static class SealedImageReader
{
    /// <summary>Resolves, reads, decrypts and checks the sealed manifest.</summary>
    /// <param name="source">The artifact.</param>
    /// <param name="keys">Who has the image key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<(OpenedManifest Opened, Digest Digest)> OpenAsync(
        IImageSource source, ILayerKeyProvider keys, CancellationToken cancellationToken)
    {
        var content = await source.ResolveAsync(cancellationToken).ConfigureAwait(false);
        return (await OpenAsync(source, content, keys, cancellationToken).ConfigureAwait(false), content.Digest);
    }

    /// <summary>Reads, decrypts and checks the sealed manifest of an artifact.</summary>
    /// <param name="source">Where the artifact's documents are.</param>
    /// <param name="content">
    /// The artifact. Pin its digest, or compare the author with one that is trusted: else whoever has the image key may have
    /// made it.
    /// </param>
    /// <param name="keys">Who has the image key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<OpenedManifest> OpenAsync(
        IImageSource source, ManifestContent content, ILayerKeyProvider keys, CancellationToken cancellationToken)
    {
        var artifact = ImageManifest.Parse(content.Bytes.Span);
        if (!SealedMediaTypes.IsSealed(artifact))
            throw new OperationFailedException("open sealed image", source.Location, "it is no sealed image", "seal it: kist image seal SOURCE DESTINATION");
        var envelope = SealedEnvelopeCipher.Parse(
            await ImageReader.ReadDocumentAsync(source, artifact.Config, "sealed envelope", cancellationToken).ConfigureAwait(false));
        var key = await keys.GetKeyAsync(envelope.Kid, cancellationToken).ConfigureAwait(false);
        try
        {
            var opened = SealedEnvelopeCipher.Open(envelope, key);
            CheckBlobs(opened.Manifest, artifact);
            return opened;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    // What the registry's manifest lists must be what the sealed manifest says: the latter decides, the former must not mislead.
    private static void CheckBlobs(SealedManifest manifest, ImageManifest artifact)
    {
        var listed = artifact.Layers.Select(l => (l.Digest, l.Size));
        if (!manifest.Blobs.Select(b => (b.Digest, b.Size)).SequenceEqual(listed))
            throw new OperationFailedException("open sealed image", manifest.Source.ToString(), "the artifact lists other blobs, or in another order, than the sealed manifest");
    }
}
