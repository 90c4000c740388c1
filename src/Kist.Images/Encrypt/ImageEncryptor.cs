using System.Security.Cryptography;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images;

/// <summary>
/// Encrypts an image for some recipients and writes it to a destination. Every layer of every platform is encrypted
/// unless the caller names the ones to encrypt; a layer of a kind that is not known stops it. The configuration (command,
/// environment, labels) is not encrypted: ocicrypt has no way to.
/// </summary>
public sealed class ImageEncryptor(
    IImageSource source, IImageDestination destination, IReadOnlyList<ILayerKeyWrapper> recipients, EncryptOptions options,
    IProgress<TransferProgress>? progress = null)
{
    private readonly List<EncryptedPlatformImage> _images = [];
    private readonly List<Digest> _leftOut = [];

    /// <summary>Encrypts and writes. The destination is committed; what is there has not been read back yet.</summary>
    public async Task<EncryptedImage> EncryptAsync(CancellationToken cancellationToken)
    {
        if (recipients.Count == 0)
            throw new ArgumentException("without a recipient nobody could decrypt the image");
        var root = options.Platform is { } platform
            ? await ImageReader.ResolveManifestAsync(source, platform, cancellationToken).ConfigureAwait(false)
            : await source.ResolveAsync(cancellationToken).ConfigureAwait(false);
        var encrypted = await EncryptContentAsync(root, isRoot: true, depth: 0, cancellationToken).ConfigureAwait(false);
        await destination.CommitAsync(cancellationToken).ConfigureAwait(false);
        return new EncryptedImage(encrypted.Digest, encrypted.MediaType, _images, _leftOut);
    }

    private async Task<ManifestContent> EncryptContentAsync(ManifestContent content, bool isRoot, int depth, CancellationToken cancellationToken)
    {
        if (depth > OciLimits.MaxIndexDepth)
            throw new MalformedDataException("image index", -1, $"indexes are nested more than {OciLimits.MaxIndexDepth} deep");
        var encrypted = MediaTypes.IsIndex(content.MediaType)
            ? await EncryptIndexAsync(ImageIndex.Parse(content.Bytes.Span), depth, cancellationToken).ConfigureAwait(false)
            : await EncryptManifestAsync(ImageManifest.Parse(content.Bytes.Span), cancellationToken).ConfigureAwait(false);
        await destination.PushManifestAsync(encrypted, isRoot, cancellationToken).ConfigureAwait(false);
        return encrypted;
    }

    private async Task<ManifestContent> EncryptIndexAsync(ImageIndex index, int depth, CancellationToken cancellationToken)
    {
        var manifests = new List<Descriptor>();
        foreach (var inner in index.Manifests)
        {
            if (inner.Annotations?.ContainsKey("vnd.docker.reference.type") == true)
            {
                _leftOut.Add(inner.Digest);
                continue;
            }

            var content = await source.FetchManifestAsync(inner, cancellationToken).ConfigureAwait(false);
            var encrypted = await EncryptContentAsync(content, isRoot: false, depth + 1, cancellationToken).ConfigureAwait(false);
            manifests.Add(inner with { MediaType = encrypted.MediaType, Digest = encrypted.Digest, Size = encrypted.Bytes.Length, Data = null });
        }

        var result = index with { MediaType = MediaTypes.Index, Manifests = manifests };
        return ManifestContent.Create(MediaTypes.Index, result.ToBytes());
    }

    private async Task<ManifestContent> EncryptManifestAsync(ImageManifest manifest, CancellationToken cancellationToken)
    {
        var (configuration, _) = await ImageReader.ReadConfigurationAsync(source, manifest, cancellationToken).ConfigureAwait(false);
        var chosen = ChosenLayers(manifest.Layers.Count);
        var layers = new List<Descriptor>();
        for (var i = 0; i < manifest.Layers.Count; i++)
        {
            layers.Add(chosen.Contains(i)
                ? await EncryptLayerAsync(manifest.Layers[i], cancellationToken).ConfigureAwait(false)
                : await CopyLayerAsync(manifest.Layers[i], cancellationToken).ConfigureAwait(false));
        }

        await ImageCopier.CopyBlobAsync(source, destination, manifest.Config, progress, cancellationToken).ConfigureAwait(false);
        var result = manifest with
        {
            MediaType = MediaTypes.Manifest,
            Config = manifest.Config with { MediaType = MediaTypes.Configuration },
            Layers = layers,
        };
        var content = ManifestContent.Create(MediaTypes.Manifest, result.ToBytes());
        _images.Add(new EncryptedPlatformImage(
            $"{configuration.Os}/{configuration.Architecture}", content.Digest,
            [.. layers.Select((l, i) => new EncryptedLayerResult(l.Digest, l.Size, configuration.Rootfs.DiffIds[i], chosen.Contains(i)))]));
        return content;
    }

    private HashSet<int> ChosenLayers(int count)
    {
        if (options.OnlyLayers is not { } only)
            return [.. Enumerable.Range(0, count)];
        var chosen = only.Select(i => i < 0 ? count + i : i).ToHashSet();
        var wrong = only.Where(i => (i < 0 ? count + i : i) is var n && (n < 0 || n >= count)).ToList();
        return wrong.Count == 0 ? chosen : throw new OperationFailedException(
            "encrypt image", source.Location, $"it has {count} layers, so there is no layer {string.Join(", ", wrong)}");
    }

    // The layer and its key stay as they are: its secrets are wrapped once more.
    private async Task<Descriptor> AddRecipientsAsync(Descriptor layer, CancellationToken cancellationToken)
    {
        if (options.DecryptionKeys.Count == 0)
        {
            throw new OperationFailedException(
                "encrypt layer", layer.Digest.ToString(), "it is encrypted already, for others", "give a key that opens it, or start from the plain image");
        }

        using var secrets = await LayerKeys.UnwrapAsync(layer, options.DecryptionKeys, cancellationToken).ConfigureAwait(false);
        var packets = await WrapAsync(secrets, cancellationToken).ConfigureAwait(false);
        var annotations = EncryptionAnnotations.Write(
            layer.Annotations, EncryptionAnnotations.ReadPublicOptions(layer), [.. EncryptionAnnotations.ReadPackets(layer), .. packets]);
        await ImageCopier.CopyBlobAsync(source, destination, layer, progress, cancellationToken).ConfigureAwait(false);
        return layer with { Annotations = annotations };
    }

    private async Task<Descriptor> CopyLayerAsync(Descriptor layer, CancellationToken cancellationToken)
    {
        await ImageCopier.CopyBlobAsync(source, destination, layer, progress, cancellationToken).ConfigureAwait(false);
        return layer;
    }

    private async Task<Descriptor> EncryptLayerAsync(Descriptor layer, CancellationToken cancellationToken)
    {
        if (MediaTypes.IsEncrypted(layer.MediaType))
            return await AddRecipientsAsync(layer, cancellationToken).ConfigureAwait(false);
        if (MediaTypes.CompressionOf(layer.MediaType) is not { } compression)
            throw new OperationFailedException("encrypt layer", layer.Digest.ToString(), $"its media type '{layer.MediaType}' is not known, so it cannot be encrypted");
        var path = Path.Combine(options.TemporaryDirectory, $"kist-encrypt-{Guid.NewGuid():N}");
        try
        {
            var encryption = await EncryptToFileAsync(layer, path, cancellationToken).ConfigureAwait(false);
            using var secrets = encryption.Private;
            var descriptor = layer with
            {
                MediaType = MediaTypes.LayerOf(compression) + MediaTypes.EncryptedSuffix,
                Digest = encryption.Digest,
                Size = encryption.Size,
                Urls = null,
                Data = null,
                Annotations = EncryptionAnnotations.Write(
                    layer.Annotations, encryption.Public, await WrapAsync(secrets, cancellationToken).ConfigureAwait(false)),
            };
            await destination.PushBlobAsync(descriptor, _ => Task.FromResult<Stream>(File.OpenRead(path)), cancellationToken).ConfigureAwait(false);
            progress?.Report(new(descriptor.Digest, descriptor.Size, descriptor.Size, AlreadyThere: false));
            return descriptor;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task<LayerEncryption> EncryptToFileAsync(Descriptor layer, string path, CancellationToken cancellationToken)
    {
        var plain = await source.OpenBlobAsync(layer, cancellationToken).ConfigureAwait(false);
        await using (plain.ConfigureAwait(false))
        {
            var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
            await using (file.ConfigureAwait(false))
                return await LayerCipher.EncryptAsync(plain, file, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<List<(string Scheme, byte[] Packet)>> WrapAsync(PrivateLayerOptions secrets, CancellationToken cancellationToken)
    {
        var json = secrets.ToBytes();
        try
        {
            var packets = new List<(string, byte[])>();
            foreach (var recipient in recipients)
                packets.Add(await recipient.WrapAsync(json, cancellationToken).ConfigureAwait(false));
            return packets;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(json);
        }
    }
}
