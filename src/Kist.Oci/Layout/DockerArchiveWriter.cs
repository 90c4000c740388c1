using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// Writes one image into a file that "docker load" and skopeo's docker-archive: read: a tar archive with manifest.json, the
/// configuration as HEX.json, and each layer decompressed as HEX.tar, named by its diff_id. Blobs wait in a directory beside it.
/// </summary>
public sealed class DockerArchiveWriter : IImageDestination, IDisposable
{
    private readonly string _path;
    private readonly string? _name;
    private readonly string _spool;
    private ImageManifest? _manifest;

    /// <summary>Names the file; it must not exist.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The image's name with its tag, for RepoTags; null for none.</param>
    public DockerArchiveWriter(string path, string? name)
    {
        _path = Path.GetFullPath(path);
        if (File.Exists(_path))
            throw new OperationFailedException("write image", _path, "the file exists", "choose another, or remove it");
        _name = name is null ? null : NameOf(ImageReference.Parse(name));
        _spool = Directory.CreateDirectory($"{_path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.part").FullName;
    }

    /// <inheritdoc/>
    public string Location => $"docker-archive:{_path}{(_name is null ? "" : ":" + _name)}";

    /// <inheritdoc/>
    public Task<bool> HasBlobAsync(Descriptor descriptor, CancellationToken cancellationToken) => Task.FromResult(File.Exists(SpoolOf(descriptor)));

    /// <inheritdoc/>
    public async Task PushBlobAsync(Descriptor descriptor, Func<CancellationToken, Task<Stream>> open, CancellationToken cancellationToken)
    {
        var content = await open(cancellationToken).ConfigureAwait(false);
        await using (content.ConfigureAwait(false))
        {
            var file = new FileStream(SpoolOf(descriptor), FileMode.Create, FileAccess.Write, FileShare.None, 1);
            await using (file.ConfigureAwait(false))
                await content.CopyToAsync(file, 256 * 1024, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task PushManifestAsync(ManifestContent content, bool isRoot, CancellationToken cancellationToken)
    {
        if (!isRoot || !MediaTypes.IsManifest(content.MediaType))
            throw new OperationFailedException("write image", Location, "a docker archive holds the image of one platform", "choose one: --platform OS/ARCH");
        var manifest = ImageManifest.Parse(content.Bytes.Span);
        if (manifest.Layers.FirstOrDefault(l => MediaTypes.IsEncrypted(l.MediaType) || MediaTypes.CompressionOf(l.MediaType) is null) is { } layer)
            throw new OperationFailedException("write image", Location, $"a docker archive cannot hold a layer of type {layer.MediaType}", "write to oci:DIRECTORY");
        _manifest = manifest;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task CommitAsync(CancellationToken cancellationToken) => Task.Run(() => WriteArchive(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_spool, recursive: true);

    private void WriteArchive(CancellationToken cancellationToken)
    {
        var manifest = _manifest ?? throw new InvalidOperationException("no manifest was written");
        var configuration = File.ReadAllBytes(SpoolOf(manifest.Config));
        var diffIds = ImageConfiguration.Parse(configuration).Rootfs.DiffIds;
        if (diffIds.Count != manifest.Layers.Count)
            throw new MalformedDataException("image configuration", -1, $"{diffIds.Count} diff_ids for {manifest.Layers.Count} layers");
        var partial = Path.Combine(_spool, "archive");
        using (var file = new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 64 * 1024))
        using (var tar = new TarWriter(file))
        {
            var written = new HashSet<Digest>();
            for (var i = 0; i < diffIds.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (written.Add(diffIds[i]))
                    WriteLayer(tar, manifest.Layers[i], diffIds[i]);
            }

            WriteSmall(tar, manifest.Config.Digest.Hex + ".json", configuration);
            var item = new DockerArchiveItem
            {
                Config = manifest.Config.Digest.Hex + ".json",
                RepoTags = _name is null ? null : [_name],
                Layers = [.. diffIds.Select(d => d.Hex + ".tar")],
            };
            WriteSmall(tar, "manifest.json", JsonSerializer.SerializeToUtf8Bytes([item], OciJson.Context.ListDockerArchiveItem));
        }

        File.Move(partial, _path);
    }

    private void WriteLayer(TarWriter tar, Descriptor layer, Digest diffId)
    {
        var plain = Path.Combine(_spool, "layer");
        using (var stored = new FileStream(SpoolOf(layer), FileMode.Open, FileAccess.Read, FileShare.Read, 1))
        using (var archive = LayerApplier.Decompress(stored, MediaTypes.CompressionOf(layer.MediaType)!.Value))
        using (var output = new FileStream(plain, FileMode.Create, FileAccess.Write, FileShare.None, 1))
            archive.CopyTo(output, 256 * 1024);
        using var content = File.OpenRead(plain);
        using var hash = diffId.CreateHash();
        var buffer = new byte[256 * 1024];
        int count;
        while ((count = content.Read(buffer)) > 0)
            hash.AppendData(buffer, 0, count);
        if (!diffId.MatchesHash(hash.GetHashAndReset()))
            throw new ContentMismatchException(Location, diffId, "a layer's archive has another digest than the configuration says");
        content.Position = 0;
        tar.Write(Entry(diffId.Hex + ".tar", content.Length), content);
    }

    private static void WriteSmall(TarWriter tar, string name, byte[] content)
    {
        using var stream = new MemoryStream(content);
        tar.Write(Entry(name, content.Length), stream);
    }

    private static TarEntry Entry(string name, long size) =>
        new() { Kind = TarEntryKind.File, Path = Encoding.UTF8.GetBytes(name), Size = size, Permissions = 0x1A4 /* 0644 */ };

    // Docker writes its own registry's images without the registry.
    private static string NameOf(ImageReference reference) => $"{reference.Name}:{reference.Tag ?? "latest"}";

    private string SpoolOf(Descriptor descriptor) => Path.Combine(_spool, descriptor.Digest.Hex);
}
