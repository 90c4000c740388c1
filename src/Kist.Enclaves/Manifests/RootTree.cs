using System.Collections.Immutable;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Linux.Files;

namespace Kist.Enclaves.Manifests;

/// <summary>Lists a container's root for a manifest: every directory, file and link, with digests. Links are not followed.</summary>
public static class RootTree
{
    private const int MaxDepth = 256;

    private static readonly EnumerationOptions s_everything = new() { AttributesToSkip = FileAttributes.None, ReturnSpecialDirectories = false };

    /// <summary>Reads the tree.</summary>
    /// <param name="root">The root's directory on this machine.</param>
    /// <param name="skipped">
    /// Is told the path of every device, socket and pipe: they do not exist in the enclave. Null: they are left out silently.
    /// </param>
    /// <param name="excluded">Absolute paths in the root that are left out with all beneath them.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="OperationFailedException">Something cannot be read, or its name is not UTF-8.</exception>
    public static ImmutableArray<ManifestFile> Read(
        string root, Action<string>? skipped = null, IReadOnlySet<string>? excluded = null, CancellationToken cancellationToken = default)
    {
        var files = new List<ManifestFile>();
        Visit(root, "/", 0, files, skipped, excluded, cancellationToken);
        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return [.. files];
    }

    private static void Visit(
        string root, string path, int depth, List<ManifestFile> files, Action<string>? skipped, IReadOnlySet<string>? excluded, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (excluded?.Contains(path) == true)
            return;
        if (depth > MaxDepth)
            throw new OperationFailedException("list root", path, $"deeper than {MaxDepth} directories");
        if (path.Contains('\ufffd', StringComparison.Ordinal))
            throw new OperationFailedException("list root", path, "the name is not UTF-8", "rename the file in the image");

        var real = path == "/" ? root : root + path;
        var status = FileExamination.Of(real);
        if (status.Kind == FileKind.Directory)
        {
            files.Add(Entry(path, ManifestFileType.Directory, status));
            foreach (var child in Directory.EnumerateFileSystemEntries(real, "*", s_everything))
                Visit(root, path.TrimEnd('/') + "/" + Path.GetFileName(child), depth + 1, files, skipped, excluded, cancellationToken);
        }
        else if (status.Kind == FileKind.Regular)
        {
            var (size, hash) = Hash(real);
            files.Add(Entry(path, ManifestFileType.File, status) with { Size = size, Modified = status.ModifiedSeconds, Sha256 = hash });
        }
        else if (status.Kind == FileKind.SymbolicLink)
        {
            var target = new FileInfo(real).LinkTarget ?? throw new OperationFailedException("list root", path, "the link changed meanwhile");
            files.Add(Entry(path, ManifestFileType.Link, status) with { Mode = 0, Target = target });
        }
        else
        {
            skipped?.Invoke(path);
        }
    }

    private static ManifestFile Entry(string path, ManifestFileType type, FileStatus status) => new()
    {
        Path = path,
        Type = type,
        Uid = status.User,
        Gid = status.Group,
        Mode = (uint)status.Permissions,
    };

    private static (long Size, string Hash) Hash(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        long size = 0;
        for (int read; (read = file.Read(buffer)) > 0; size += read)
            hash.AppendData(buffer, 0, read);
        return (size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
