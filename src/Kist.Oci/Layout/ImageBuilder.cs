using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Kist.Oci;

/// <summary>What an image that is built here is like.</summary>
public sealed record ImageBuildOptions
{
    /// <summary>The platform.</summary>
    public Platform Platform { get; init; } = Platform.Current;

    /// <summary>How to run it.</summary>
    public ContainerConfiguration Config { get; init; } = new();

    /// <summary>How the layers are compressed: none, gzip or Zstandard.</summary>
    public LayerCompression Compression { get; init; } = LayerCompression.Gzip;

    /// <summary>The time of the image and of all files from directories. Fixed, so that the same input gives the same image.</summary>
    public DateTimeOffset Created { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>True keeps the owners of files from directories; false makes them root's.</summary>
    public bool KeepOwners { get; init; }
}

/// <summary>Makes images from directories and tar archives: the same input always gives the same image.</summary>
public static class ImageBuilder
{
    /// <summary>Builds an image and writes it to a destination.</summary>
    /// <param name="layers">Directories, or files that are tar archives; lowest first.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="options">What it is like.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The manifest's descriptor.</returns>
    public static async Task<Descriptor> BuildAsync(
        IReadOnlyList<string> layers, IImageDestination destination, ImageBuildOptions options, CancellationToken cancellationToken)
    {
        var descriptors = new List<Descriptor>();
        var diffIds = new List<Digest>();
        foreach (var layer in layers)
        {
            var (descriptor, diffId) = await PushLayerAsync(layer, destination, options, cancellationToken).ConfigureAwait(false);
            descriptors.Add(descriptor);
            diffIds.Add(diffId);
        }

        var configuration = new ImageConfiguration
        {
            Created = options.Created.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            Architecture = options.Platform.Architecture,
            Os = options.Platform.Os,
            Variant = options.Platform.Variant,
            Config = options.Config,
            Rootfs = new RootFileSystemDigests { DiffIds = diffIds },
        }.ToBytes();
        var config = new Descriptor { MediaType = MediaTypes.Configuration, Digest = Digest.Of(configuration), Size = configuration.Length };
        await destination.PushBlobAsync(config, _ => Task.FromResult<Stream>(new MemoryStream(configuration)), cancellationToken).ConfigureAwait(false);
        var manifest = new ImageManifest { MediaType = MediaTypes.Manifest, Config = config, Layers = descriptors };
        var content = ManifestContent.Create(MediaTypes.Manifest, manifest.ToBytes());
        await destination.PushManifestAsync(content, isRoot: true, cancellationToken).ConfigureAwait(false);
        await destination.CommitAsync(cancellationToken).ConfigureAwait(false);
        return content.Descriptor;
    }

    private static async Task<(Descriptor Descriptor, Digest DiffId)> PushLayerAsync(
        string layer, IImageDestination destination, ImageBuildOptions options, CancellationToken cancellationToken)
    {
        var path = Path.Combine(Path.GetTempPath(), $"kist-layer-{Guid.NewGuid():N}");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, 64 * 1024);
        await using (file.ConfigureAwait(false))
        {
            try
            {
                var (descriptor, diffId) = await Task.Run(() => WriteLayer(layer, file, options, cancellationToken), cancellationToken).ConfigureAwait(false);
                await destination.PushBlobAsync(
                    descriptor, _ => Task.FromResult<Stream>(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)), cancellationToken)
                    .ConfigureAwait(false);
                return (descriptor, diffId);
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    private static (Descriptor Descriptor, Digest DiffId) WriteLayer(
        string layer, FileStream file, ImageBuildOptions options, CancellationToken cancellationToken)
    {
        using var compressedHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var plainHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var compressed = new HashingWriter(file, compressedHash))
        using (var compressor = Compress(compressed, options.Compression))
        using (var plain = new HashingWriter(compressor, plainHash))
            WriteArchive(layer, plain, options, cancellationToken);
        file.Flush();
        var descriptor = new Descriptor
        {
            MediaType = MediaTypes.LayerOf(options.Compression),
            Digest = Digest.FromSha256(compressedHash.GetHashAndReset()),
            Size = file.Length,
        };
        return (descriptor, Digest.FromSha256(plainHash.GetHashAndReset()));
    }

    private static void WriteArchive(string layer, Stream output, ImageBuildOptions options, CancellationToken cancellationToken)
    {
        if (Directory.Exists(layer))
        {
            DirectoryArchive.Write(layer, output, options.Created, options.KeepOwners, cancellationToken);
            return;
        }

        using var archive = File.OpenRead(layer);
        archive.CopyTo(output, 256 * 1024);
    }

    private static Stream Compress(Stream output, LayerCompression compression) => compression switch
    {
        LayerCompression.None => new BufferedStream(output, 128 * 1024),
        LayerCompression.Gzip => new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true),
        _ => new ZstdSharp.CompressionStream(output, level: 3, leaveOpen: true),
    };
}
