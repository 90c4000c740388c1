using Kist.Formats;
using Kist.Images.Sealed;
using Kist.Oci;
using Kist.Pods.Protocol;

namespace Kist.Host;

/// <summary>An image as its owner sees it before it runs: what a policy pins.</summary>
/// <param name="Reference">As the user named it.</param>
/// <param name="ManifestDigest">Digest of the manifest for the guest's platform.</param>
/// <param name="Defaults">What its configuration says of the process.</param>
/// <param name="EncryptedLayers">How many layers are encrypted.</param>
/// <param name="Layers">How many there are.</param>
/// <param name="CompressedBytes">Size of all layers in the registry.</param>
public sealed record ResolvedImage(
    ImageReference Reference,
    Digest ManifestDigest,
    ImageProcessDefaults Defaults,
    int EncryptedLayers,
    int Layers,
    long CompressedBytes)
{
    /// <summary>The blobs of a sealed image, which the host attaches as disks; null for any other image.</summary>
    public IReadOnlyList<Descriptor>? SealedBlobs { get; init; }

    /// <summary>The hosts that were asked for it: a guest that goes the same way needs a door to each.</summary>
    public IReadOnlyList<(string Host, int Port)> Hosts { get; init; } = [];

    /// <summary>True if <see cref="Defaults"/> is what the image says; false if that is not known here, as with a sealed image.</summary>
    public bool HasConfiguration => SealedBlobs is null || Source is not null;

    /// <summary>The image that a sealed one was made of, as its owner says, and with it its configuration; null if nobody says it.</summary>
    public Digest? Source { get; init; }

    /// <summary>True if no layer is in the clear.</summary>
    public bool IsEncrypted => Layers > 0 && EncryptedLayers == Layers;

    /// <summary>Asks the registry, with what is said of registries.</summary>
    /// <exception cref="OperationFailedException">The registry does not answer or has no such image.</exception>
    public static Task<ResolvedImage> ResolveAsync(ImageReference reference, ImageDemands images, CancellationToken cancellationToken) =>
        ResolveAsync(reference, RegistryAccess.For(images), cancellationToken);

    /// <summary>Asks the registry.</summary>
    /// <exception cref="OperationFailedException">The registry does not answer or has no such image.</exception>
    public static async Task<ResolvedImage> ResolveAsync(ImageReference reference, RegistryOptions options, CancellationToken cancellationToken)
    {
        var contacts = new RegistryContacts();
        using var repository = new RegistryRepository(reference, options with { Connect = options.Connect ?? contacts.ConnectAsync });
        var image = await ResolveAsync(reference, repository, cancellationToken).ConfigureAwait(false);
        return image with { Hosts = contacts.Hosts };
    }

    /// <summary>Asks any source.</summary>
    /// <exception cref="OperationFailedException">It has no such image.</exception>
    public static async Task<ResolvedImage> ResolveAsync(ImageReference reference, IImageSource source, CancellationToken cancellationToken)
    {
        var content = await ImageReader.ResolveManifestAsync(source, GuestPlatform, cancellationToken).ConfigureAwait(false);
        var manifest = ImageManifest.Parse(content.Bytes.Span);
        if (SealedMediaTypes.IsSealed(manifest))
        {
            // The host has no use for the envelope, but the guest will go the same way: it needs a door where it leads.
            if (source is IRangeSource registry && manifest.Config.Size > 0)
                await registry.ReadRangeAsync(manifest.Config, 0, new byte[1], cancellationToken).ConfigureAwait(false);
            return Sealed(reference, content.Digest, manifest);
        }

        var (configuration, _) = await ImageReader.ReadConfigurationAsync(source, manifest, cancellationToken).ConfigureAwait(false);
        var process = configuration.Config;
        return new ResolvedImage(
            reference,
            content.Digest,
            new ImageProcessDefaults(
                process?.EntryPoint ?? [], process?.Command ?? [], process?.Environment ?? [], process?.WorkingDirectory ?? "", process?.User ?? ""),
            manifest.Layers.Count(l => MediaTypes.IsEncrypted(l.MediaType)),
            manifest.Layers.Count,
            manifest.Layers.Sum(l => l.Size));
    }

    /// <summary>The configuration is in the sealed manifest, which the host cannot read.</summary>
    private static ResolvedImage Sealed(ImageReference reference, Digest digest, ImageManifest manifest) => new(
        reference, digest, new ImageProcessDefaults([], [], [], "", ""), manifest.Layers.Count, manifest.Layers.Count, manifest.Layers.Sum(l => l.Size))
    {
        SealedBlobs = manifest.Layers.Count is > 0 and <= SealedManifest.MaxBlobs
            ? manifest.Layers
            : throw new MalformedDataException("sealed image", -1, $"{manifest.Layers.Count} blobs"),
    };

    private static Platform GuestPlatform { get; } = Platform.Parse("linux/amd64");
}
