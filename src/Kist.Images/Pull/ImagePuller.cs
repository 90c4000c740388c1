using System.Globalization;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Images.Sealed;
using Kist.Images.Signatures;
using Kist.Oci;

namespace Kist.Images;

/// <summary>
/// Pulls an image, encrypted or plain, into a directory. Each layer is fetched whole and its digest and HMAC are proven
/// before a byte of it is decompressed; its diff_id is proven when it has been unpacked. On any failure nothing is left.
/// </summary>
public static class ImagePuller
{
    /// <summary>Pulls from a registry with keys of the broker.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="registry">How to talk to the registry.</param>
    /// <param name="keys">Who has the keys of encrypted layers.</param>
    /// <param name="rootDirectory">A directory for the result; it is made if missing. "rootfs" in it must not exist.</param>
    /// <param name="options">How to pull.</param>
    /// <param name="progress">Told what happens, or null.</param>
    /// <param name="cancellationToken">Stops the pull; nothing is left.</param>
    public static async Task<PulledImage> PullAsync(
        ImageReference reference, RegistryOptions registry, ILayerKeyProvider keys, string rootDirectory, PullOptions options,
        IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        using var repository = new RegistryRepository(reference, registry);
        return await PullAsync(
            repository, [new KeyPacketUnwrapper(keys, options.AllowUnauthenticatedWrap)], rootDirectory, options, progress, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Pulls from any source with any kinds of keys.</summary>
    public static async Task<PulledImage> PullAsync(
        IImageSource source, IReadOnlyList<ILayerKeyUnwrapper> unwrappers, string rootDirectory, PullOptions options,
        IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        var chain = await ImageReader.ResolveChainAsync(source, options.Platform, cancellationToken).ConfigureAwait(false);
        return await PullAsync(source, chain, unwrappers, rootDirectory, options, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Pulls an image whose manifest has been resolved.</summary>
    /// <param name="source">The image.</param>
    /// <param name="chain">As <see cref="ImageReader.ResolveChainAsync"/> gave it.</param>
    /// <param name="unwrappers">Who opens the keys of encrypted layers.</param>
    /// <param name="rootDirectory">A directory for the result; it is made if missing. "rootfs" in it must not exist.</param>
    /// <param name="options">How to pull.</param>
    /// <param name="progress">Told what happens, or null.</param>
    /// <param name="cancellationToken">Stops the pull; nothing is left.</param>
    public static async Task<PulledImage> PullAsync(
        IImageSource source, IReadOnlyList<ManifestContent> chain, IReadOnlyList<ILayerKeyUnwrapper> unwrappers, string rootDirectory, PullOptions options,
        IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        if (options.Policy is { } policy)
            await RequireSignaturesAsync(policy, source, chain, cancellationToken).ConfigureAwait(false);
        var content = chain[^1];
        var manifest = ImageManifest.Parse(content.Bytes.Span);
        if (SealedMediaTypes.IsSealed(manifest))
        {
            throw new OperationFailedException(
                "pull image", source.Location, "it is a sealed image, which is mounted block by block and has no layers to unpack",
                "use the image that it was sealed from");
        }

        var encrypted = manifest.Layers.Count(l => MediaTypes.IsEncrypted(l.MediaType));
        if (options.RequireEncryption && encrypted < manifest.Layers.Count)
        {
            throw new OperationFailedException(
                "pull image", source.Location, $"{manifest.Layers.Count - encrypted} of {manifest.Layers.Count} layers are not encrypted, and encryption is required",
                "encrypt it: kist image encrypt SOURCE DESTINATION");
        }

        var (configuration, configurationBytes) =
            await ImageReader.ReadConfigurationAsync(source, manifest, cancellationToken).ConfigureAwait(false);
        if (options.Approve is { } approve)
        {
            var bytes = manifest.Layers.Sum(l => l.Size);
            await approve(new PullCandidate(configuration, content.Digest, manifest.Config.Digest, encrypted, manifest.Layers.Count, bytes), cancellationToken)
                .ConfigureAwait(false);
        }

        if (options.FindUnpacked is { } find && await find(content.Digest, cancellationToken).ConfigureAwait(false) is { } unpacked)
        {
            return new PulledImage(
                configuration, configurationBytes, content.Digest, unpacked, encrypted, manifest.Layers.Count, ExtractionReport.None);
        }

        var report = await UnpackAsync(source, manifest, configuration, unwrappers, rootDirectory, options, progress, cancellationToken).ConfigureAwait(false);
        return new PulledImage(
            configuration, configurationBytes, content.Digest, RootOf(rootDirectory), encrypted, manifest.Layers.Count, report);
    }

    internal static async Task RequireSignaturesAsync(
        PolicyEvaluator policy, IImageSource source, IReadOnlyList<ManifestContent> chain, CancellationToken cancellationToken)
    {
        if (source is not RegistryRepository repository)
            throw new OperationFailedException("verify signatures", source.Location, "a policy is in force, and signatures can be found in registries only");
        var verdict = await policy.EvaluateAsync(repository, [.. chain.Select(c => c.Digest)], cancellationToken).ConfigureAwait(false);
        if (!verdict.IsAccepted)
            throw new ImageRefusedException(source.Location, verdict);
    }

    private static string RootOf(string directory) => Path.Combine(directory, "rootfs");

    private static async Task<ExtractionReport> UnpackAsync(
        IImageSource source, ImageManifest manifest, ImageConfiguration configuration, IReadOnlyList<ILayerKeyUnwrapper> unwrappers,
        string rootDirectory, PullOptions options, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        var root = RootOf(rootDirectory);
        var spool = options.SpoolDirectory ?? Path.Combine(rootDirectory, "spool");
        if (Directory.Exists(root))
            throw new OperationFailedException("pull image", root, "the directory exists", "choose another, or remove it");
        Directory.CreateDirectory(root);
        Directory.CreateDirectory(spool);
        try
        {
            return await UnpackLayersAsync(source, manifest, configuration, unwrappers, root, spool, options, progress, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            RemoveTree(rootDirectory, "rootfs");
            throw;
        }
        finally
        {
            if (options.SpoolDirectory is null)
                Directory.Delete(spool, recursive: true);
        }
    }

    // Layers are fetched and proven several at a time, and unpacked one after the other, lowest first.
    private static async Task<ExtractionReport> UnpackLayersAsync(
        IImageSource source, ImageManifest manifest, ImageConfiguration configuration, IReadOnlyList<ILayerKeyUnwrapper> unwrappers,
        string root, string spool, PullOptions options, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var window = new LayerWindow(source, manifest.Layers, unwrappers, spool, options, progress, stop.Token);
        LayerExtractor? extractor = null;
        var report = ExtractionReport.None;
        try
        {
            for (var i = 0; i < manifest.Layers.Count; i++)
            {
                var layer = await window.TakeAsync(i).ConfigureAwait(false);
                using (layer)
                {
                    if (extractor is null || options.SeparateLayers)
                    {
                        report += extractor?.Report ?? ExtractionReport.None;
                        extractor?.Dispose();
                        extractor = OpenExtractor(root, i, options);
                    }

                    var target = extractor;
                    progress?.Report(new(PullStep.Unpack, i, manifest.Layers.Count, 0, layer.Descriptor.Size));
                    var diffId = configuration.Rootfs.DiffIds[i];
                    await Task.Factory.StartNew(() => Apply(layer, diffId, target, options.Limits, stop.Token), stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
                    progress?.Report(new(PullStep.Done, i, manifest.Layers.Count, layer.Descriptor.Size, layer.Descriptor.Size));
                }
            }

            return report + (extractor?.Report ?? ExtractionReport.None);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OperationFailedException("pull image", source.Location, "the transfer was cut off", isTransient: true);
        }
        finally
        {
            extractor?.Dispose();
            await stop.CancelAsync().ConfigureAwait(false);
            await window.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static LayerExtractor OpenExtractor(string root, int layer, PullOptions options)
    {
        var directory = options.SeparateLayers ? Path.Combine(root, layer.ToString(CultureInfo.InvariantCulture)) : root;
        Directory.CreateDirectory(directory);
        return new LayerExtractor(directory, new ExtractionOptions
        {
            Limits = options.Limits,
            Privileged = options.Privileged,
            Whiteouts = options.SeparateLayers ? WhiteoutMode.Overlay : WhiteoutMode.Apply,
        });
    }

    private static void Apply(SpooledLayer layer, Digest diffId, LayerExtractor extractor, LayerLimits limits, CancellationToken cancellationToken)
    {
        using var plain = layer.OpenPlain();
        LayerApplier.Apply(
            plain, layer.Descriptor.Size, MediaTypes.CompressionOf(layer.Descriptor.MediaType)!.Value, diffId, extractor, limits, cancellationToken);
    }

    private static void RemoveTree(string directory, string name)
    {
        using var handle = Linux.Files.DirectoryHandle.Open(directory);
        handle.RemoveTree(System.Text.Encoding.UTF8.GetBytes(name));
    }
}
