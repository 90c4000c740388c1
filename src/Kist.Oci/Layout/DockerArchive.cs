using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// An image in a file that "docker save" or skopeo's docker-archive: wrote: a tar archive with manifest.json, a
/// configuration, and a tar archive a layer. It has no manifest of its own, so one is made from what is there.
/// </summary>
public sealed class DockerArchive : IImageSource
{
    private readonly string _path;
    private readonly string? _name;
    private readonly Dictionary<Digest, (long Offset, long Size)> _blobs = [];

    /// <summary>Names an image in an archive.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The image's name as in RepoTags, or null for the only one.</param>
    public DockerArchive(string path, string? name)
    {
        _path = Path.GetFullPath(path);
        _name = name;
    }

    /// <inheritdoc/>
    public string Location => $"docker-archive:{_path}{(_name is null ? "" : ":" + _name)}";

    /// <inheritdoc/>
    public Task<ManifestContent> ResolveAsync(CancellationToken cancellationToken) => Task.Run(() => MakeManifest(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<ManifestContent> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        throw new OperationFailedException("read manifest", Location, "a docker archive has no manifests besides its own");

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (!_blobs.TryGetValue(descriptor.Digest, out var place))
            throw new OperationFailedException("read blob", $"{Location} {descriptor.Digest}", "the archive does not have it");
        return Task.FromResult<Stream>(new VerifyingStream(Slice(place), descriptor, Location));
    }

    private ManifestContent MakeManifest(CancellationToken cancellationToken)
    {
        var files = ListFiles(cancellationToken);
        var items = OciJson.Parse(ReadSmall(files, "manifest.json"), OciJson.Context.ListDockerArchiveItem, "docker archive");
        var item = Choose(items);
        var config = Describe(files, item.Config, MediaTypes.Configuration, cancellationToken);
        var layers = item.Layers.Select(l => Describe(files, l, null, cancellationToken)).ToList();
        var manifest = new ImageManifest { MediaType = MediaTypes.Manifest, Config = config, Layers = layers };
        return ManifestContent.Create(MediaTypes.Manifest, manifest.ToBytes());
    }

    private DockerArchiveItem Choose(List<DockerArchiveItem> items)
    {
        var candidates = _name is null ? items : items.FindAll(i => i.RepoTags?.Contains(_name) == true);
        return candidates.Count == 1 ? candidates[0] : throw new OperationFailedException(
            "open image", Location, candidates.Count == 0 ? "there is no such image" : "there are several images; name one",
            "names: " + string.Join(", ", items.SelectMany(i => i.RepoTags ?? [])));
    }

    // Old versions of docker store a layer that several images share once, and links to it.
    private Dictionary<string, (long Offset, long Size)> ListFiles(CancellationToken cancellationToken)
    {
        var files = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        var links = new List<(string Path, string Target)>();
        using var stream = Open();
        var reader = new TarReader(new BufferedStream(stream, 64 * 1024));
        while (reader.Next() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (files.Count > 100_000)
                throw new MalformedDataException("docker archive", -1, "too many files");
            var path = entry.DisplayPath;
            if (entry is { Kind: TarEntryKind.File, Regions: null })
                files[path] = (reader.Position, entry.Size);
            else if (entry.Kind is TarEntryKind.SymbolicLink or TarEntryKind.HardLink)
                links.Add((path, entry.Kind == TarEntryKind.HardLink ? Encoding.UTF8.GetString(entry.LinkTarget) : Resolve(path, Encoding.UTF8.GetString(entry.LinkTarget))));
        }

        foreach (var (path, target) in links)
        {
            if (files.TryGetValue(target, out var place))
                files[path] = place;
        }

        return files;
    }

    private static string Resolve(string link, string target) =>
        Path.GetFullPath(Path.Combine("/", Path.GetDirectoryName(link) ?? "", target))[1..];

    private Descriptor Describe(
        Dictionary<string, (long Offset, long Size)> files, string path, string? mediaType, CancellationToken cancellationToken)
    {
        if (!files.TryGetValue(path, out var place))
            throw new MalformedDataException("docker archive", -1, $"'{path}' is named but missing");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var content = Slice(place);
        var buffer = new byte[256 * 1024];
        int count;
        LayerCompression? compression = null;
        while ((count = content.Read(buffer)) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            compression ??= CompressionOf(buffer.AsSpan(0, count));
            hash.AppendData(buffer, 0, count);
        }

        var digest = Digest.FromSha256(hash.GetHashAndReset());
        _blobs[digest] = place;
        return new Descriptor { MediaType = mediaType ?? MediaTypes.LayerOf(compression ?? LayerCompression.None), Digest = digest, Size = place.Size };
    }

    private static LayerCompression CompressionOf(ReadOnlySpan<byte> start) =>
        start.StartsWith<byte>([0x1f, 0x8b]) ? LayerCompression.Gzip
        : start.StartsWith<byte>([0x28, 0xb5, 0x2f, 0xfd]) ? LayerCompression.Zstd
        : LayerCompression.None;

    private byte[] ReadSmall(Dictionary<string, (long Offset, long Size)> files, string path)
    {
        if (!files.TryGetValue(path, out var place) || place.Size > OciLimits.MaxDocumentBytes)
            throw new MalformedDataException("docker archive", -1, $"'{path}' is missing or too large: is this a docker archive?");
        using var content = Slice(place);
        var bytes = new byte[place.Size];
        content.ReadExactly(bytes);
        return bytes;
    }

    private SliceStream Slice((long Offset, long Size) place) => new(Open(), place.Offset, place.Size);

    private FileStream Open()
    {
        try
        {
            return new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException("open image", Location, e.Message, inner: e);
        }
    }
}

/// <summary>One image of a docker archive's manifest.json.</summary>
sealed record DockerArchiveItem
{
    [JsonPropertyName("Config")]
    public required string Config { get; init; }

    [JsonPropertyName("RepoTags")]
    public IReadOnlyList<string>? RepoTags { get; init; }

    [JsonPropertyName("Layers")]
    public required IReadOnlyList<string> Layers { get; init; }
}
