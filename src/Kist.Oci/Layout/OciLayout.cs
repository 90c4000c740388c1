using System.Text.Json;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// An image in a directory (OCI image specification 1.1, image-layout.md): "oci:DIRECTORY[:TAG]". Blobs are written beside
/// their place and renamed, so a reader never sees half of one.
/// </summary>
public sealed class OciLayout : IImageSource, IImageDestination
{
    private const string TagAnnotation = "org.opencontainers.image.ref.name";
    private const string MarkerFile = "oci-layout";
    private const string IndexFile = "index.json";

    private readonly string _directory;
    private readonly string? _tag;
    private ManifestContent? _root;

    /// <summary>Names an image in a layout.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="tag">The tag, or null: the only image when reading, no tag when writing.</param>
    public OciLayout(string directory, string? tag)
    {
        _directory = Path.GetFullPath(directory);
        _tag = tag;
    }

    /// <inheritdoc/>
    public string Location => $"oci:{_directory}{(_tag is null ? "" : ":" + _tag)}";

    /// <inheritdoc/>
    public async Task<ManifestContent> ResolveAsync(CancellationToken cancellationToken)
    {
        var index = await ReadIndexAsync(cancellationToken).ConfigureAwait(false) ?? throw new OperationFailedException(
            "open image", Location, "there is no OCI image layout", $"an image layout has the files {MarkerFile} and {IndexFile}");
        var candidates = _tag is null ? [.. index.Manifests] : index.Manifests.Where(m => TagOf(m) == _tag).ToList();
        if (candidates.Count != 1)
        {
            throw new OperationFailedException(
                "open image", Location, candidates.Count == 0 ? "there is no such image" : "there are several images; name one by its tag",
                "tags: " + string.Join(", ", index.Manifests.Select(TagOf).Where(t => t is not null)));
        }

        return await FetchManifestAsync(candidates[0], cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<ManifestContent> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        var bytes = await ImageReader.ReadDocumentAsync(this, descriptor, "image manifest", cancellationToken).ConfigureAwait(false);
        var said = DocumentKind.MediaTypeOf(bytes);
        if (said is not null && said != descriptor.MediaType)
            throw new MalformedDataException("image manifest", -1, $"mediaType is '{said}', its descriptor says '{descriptor.MediaType}'");
        return new ManifestContent(descriptor.MediaType, descriptor.Digest, bytes);
    }

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        try
        {
            var file = new FileStream(PathOf(descriptor.Digest), FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
            return Task.FromResult<Stream>(new VerifyingStream(file, descriptor, Location));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OperationFailedException("read blob", $"{Location} {descriptor.Digest}", "the layout does not have it", inner: e);
        }
    }

    /// <inheritdoc/>
    public Task<bool> HasBlobAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        Task.FromResult(new FileInfo(PathOf(descriptor.Digest)) is { Exists: true } file && file.Length == descriptor.Size);

    /// <inheritdoc/>
    public async Task PushBlobAsync(Descriptor descriptor, Func<CancellationToken, Task<Stream>> open, CancellationToken cancellationToken)
    {
        if (await HasBlobAsync(descriptor, cancellationToken).ConfigureAwait(false))
            return;
        var content = new VerifyingStream(await open(cancellationToken).ConfigureAwait(false), descriptor, Location);
        await using (content.ConfigureAwait(false))
        {
            await WriteAsync(PathOf(descriptor.Digest), async file =>
                await content.CopyToAsync(file, 256 * 1024, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task PushManifestAsync(ManifestContent content, bool isRoot, CancellationToken cancellationToken)
    {
        await WriteAsync(PathOf(content.Digest), async file =>
            await file.WriteAsync(content.Bytes, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        if (isRoot)
            _root = content;
    }

    /// <inheritdoc/>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        if (_root is null)
            return;
        var present = await ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        var entry = _root.Descriptor with
        {
            Annotations = _tag is null ? null : new Dictionary<string, string> { [TagAnnotation] = _tag },
        };
        var others = (present?.Manifests ?? []).Where(m => _tag is null ? m.Digest != entry.Digest : TagOf(m) != _tag);
        var index = (present ?? new ImageIndex { Manifests = [] }) with { Manifests = [.. others, entry] };
        await WriteAsync(Path.Combine(_directory, MarkerFile), async file => await file.WriteAsync(
            """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray(), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        await WriteAsync(Path.Combine(_directory, IndexFile), async file =>
            await file.WriteAsync(index.ToBytes(), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Where a blob's file is or will be.</summary>
    internal string PathOf(Digest digest) => Path.Combine(_directory, "blobs", digest.Algorithm, digest.Hex);

    private static string? TagOf(Descriptor manifest) => manifest.Annotations?.GetValueOrDefault(TagAnnotation);

    private async Task<ImageIndex?> ReadIndexAsync(CancellationToken cancellationToken)
    {
        var marker = new FileInfo(Path.Combine(_directory, MarkerFile));
        var file = new FileInfo(Path.Combine(_directory, IndexFile));
        if (!marker.Exists || !file.Exists)
            return null;
        if (marker.Length > 4096 || file.Length > OciLimits.MaxDocumentBytes)
            throw new MalformedDataException("image layout", -1, $"{marker.FullName} or {IndexFile} is too large");
        var version = OciJson.Parse(
            await File.ReadAllBytesAsync(marker.FullName, cancellationToken).ConfigureAwait(false), OciJson.Context.LayoutMarker, MarkerFile);
        if (version.ImageLayoutVersion != "1.0.0")
            throw new MalformedDataException("image layout", -1, $"version '{version.ImageLayoutVersion}' is not known");
        return ImageIndex.Parse(await File.ReadAllBytesAsync(file.FullName, cancellationToken).ConfigureAwait(false));
    }

    private static async Task WriteAsync(string path, Func<FileStream, Task> write)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
            await using (file.ConfigureAwait(false))
                await write(file).ConfigureAwait(false);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}

sealed record LayoutMarker
{
    public required string ImageLayoutVersion { get; init; }
}
