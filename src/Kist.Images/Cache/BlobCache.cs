using System.Security.Cryptography;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Oci;
using Microsoft.Win32.SafeHandles;

namespace Kist.Images;

/// <summary>
/// The host's cache of blobs, by digest: each is fetched once, checked, and shared read-only by all pods. A blob in use is
/// locked (flock, shared), so that collection by this or another process leaves it. The host is not trusted: what a guest
/// reads of a blob it proves itself.
/// </summary>
public sealed class BlobCache
{
    private const string PartialSuffix = ".lazy";

    private const int MaxAttempts = 100;
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(2);

    private readonly string _directory;

    /// <summary>Opens a cache; the directory is made if missing.</summary>
    public BlobCache(string directory)
    {
        _directory = Path.GetFullPath(directory);
        Directory.CreateDirectory(_directory);
    }

    /// <summary>Gets a blob, from the cache or from a source, and holds it in use.</summary>
    public async Task<CachedBlob> GetAsync(IImageSource source, Descriptor blob, CancellationToken cancellationToken)
    {
        var path = PathOf(blob.Digest);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            if (TryOpen(path, blob) is { } present)
                return present;
            await FetchAsync(source, blob, path, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a blob that is there, and holds it in use; null if it is not there, or not all of it.</summary>
    public CachedBlob? TryOpen(Descriptor blob) => TryOpen(PathOf(blob.Digest), blob);

    /// <summary>Opens a blob of which parts may be missing, and holds it in use. What is missing comes when it is read.</summary>
    public LazyBlob OpenLazy(IRangeSource source, Descriptor blob)
    {
        var path = PartialPathOf(blob.Digest);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            if (LazyBlob.TryOpen(path, blob, source) is { } opened)
                return opened;
            Thread.Sleep(s_patience);
        }
    }

    /// <summary>Fetches what a blob misses, proves it, and keeps it as a whole one.</summary>
    /// <param name="lazy">The blob.</param>
    /// <param name="blob">What it is.</param>
    /// <param name="pause">Waits after a piece, told how long that took; null for no waiting.</param>
    /// <param name="cancellationToken">Stops it; what was fetched stays.</param>
    public Task FillAsync(LazyBlob lazy, Descriptor blob, Func<TimeSpan, CancellationToken, Task>? pause, CancellationToken cancellationToken) =>
        lazy.FillAsync(PathOf(blob.Digest), pause, cancellationToken);

    /// <summary>What is there, most recently used first.</summary>
    public IReadOnlyList<CacheEntry> List() => [.. Files().Select(Describe).OfType<CacheEntry>().OrderByDescending(e => e.LastUsed)];

    /// <summary>Removes blobs that nobody uses, least recently used first, until no more than some bytes are left.</summary>
    /// <returns>What was removed.</returns>
    public IReadOnlyList<CacheEntry> Collect(long keepBytes)
    {
        var removed = new List<CacheEntry>();
        var entries = List();
        var total = entries.Sum(e => e.Bytes);
        foreach (var entry in entries.Reverse())
        {
            if (total <= keepBytes)
                break;
            if (!TryRemove(entry.Path))
                continue;
            total -= entry.Bytes;
            removed.Add(entry);
        }

        return removed;
    }

    /// <summary>Hashes every whole blob, and removes those whose content is not what their name says.</summary>
    /// <returns>The blobs that were wrong. One that is in use stays: its guests get I/O errors where it is wrong.</returns>
    public IReadOnlyList<(CacheEntry Entry, bool Removed)> Verify(CancellationToken cancellationToken)
    {
        var wrong = new List<(CacheEntry, bool)>();
        foreach (var entry in List().Where(e => e.IsWhole))
        {
            using (var file = File.OpenRead(entry.Path))
            using (var hash = entry.Digest.CreateHash())
            {
                var buffer = new byte[1024 * 1024];
                for (int count; (count = file.Read(buffer)) > 0;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    hash.AppendData(buffer, 0, count);
                }

                if (entry.Digest.MatchesHash(hash.GetHashAndReset()))
                    continue;
            }

            wrong.Add((entry, TryRemove(entry.Path)));
        }

        return wrong;
    }

    private IEnumerable<FileInfo> Files() => new DirectoryInfo(_directory).EnumerateFiles("*", SearchOption.AllDirectories);

    private static CacheEntry? Describe(FileInfo file)
    {
        var isLazy = file.Extension == PartialSuffix;
        var isPart = file.Extension == ".part";
        var name = isLazy || isPart ? file.Name.Split('.')[0] : file.Name;
        if (!Digest.TryParse($"{file.Directory!.Name}:{name}", out var digest) || !file.Exists)
            return null;
        var bytes = isLazy ? Math.Min(file.Length, LazyBlob.PresentBytes(file.FullName)) : file.Length;
        return new CacheEntry(file.FullName, digest, bytes, file.Length, !isLazy && !isPart, IsInUse(file.FullName), file.LastAccessTimeUtc);
    }

    private static bool IsInUse(string path)
    {
        try
        {
            using var exclusive = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private string PartialPathOf(Digest digest) => PathOf(digest) + PartialSuffix;

    private string PathOf(Digest digest) => Path.Combine(_directory, digest.Algorithm, digest.Hex);

    // FileShare.Read takes a shared flock, which FileShare.None (exclusive) in TryRemove respects.
    private static CachedBlob? TryOpen(string path, Descriptor blob)
    {
        if (OpenShared(path) is not { } handle)
            return null;

        // It may have been removed, or replaced, between opening and locking.
        if (RandomAccess.GetLength(handle) == blob.Size && File.Exists(path))
        {
            File.SetLastAccessTimeUtc(handle, TimeProvider.System.GetUtcNow().UtcDateTime);
            return new CachedBlob(path, handle, blob);
        }

        handle.Dispose();
        return null;
    }

    private static SafeFileHandle? OpenShared(string path)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            try
            {
                return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
            catch (IOException e) when (e.HResult == Linux.Errno.EAGAIN)
            {
                // Somebody lists the cache, or is about to remove the file.
                Thread.Sleep(s_patience);
            }
        }

        return null;
    }

    private static async Task FetchAsync(IImageSource source, Descriptor blob, string path, CancellationToken cancellationToken)
    {
        var temporary = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.part";
        try
        {
            var content = await source.OpenBlobAsync(blob, cancellationToken).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
            {
                var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
                await using (file.ConfigureAwait(false))
                    await content.CopyToAsync(file, 1024 * 1024, cancellationToken).ConfigureAwait(false);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (IOException e) when (e is not FileNotFoundException)
        {
            throw new OperationFailedException("fetch blob", blob.Digest.ToString(), e.Message, "is the disk full? kist image prune frees the cache", inner: e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static bool TryRemove(string path)
    {
        try
        {
            using var exclusive = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

            // A map must never outlive what it describes.
            File.Delete(LazyBlob.MapOf(path));
            File.Delete(path);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}

/// <summary>A blob of the cache, or a part of one.</summary>
/// <param name="Path">The file.</param>
/// <param name="Digest">Digest of the whole blob.</param>
/// <param name="Bytes">Bytes that are there.</param>
/// <param name="Length">Length of the whole blob.</param>
/// <param name="IsWhole">True if all of it is there and its digest was checked.</param>
/// <param name="IsInUse">True if some process uses it.</param>
/// <param name="LastUsed">When it was last opened for a pod.</param>
public sealed record CacheEntry(string Path, Digest Digest, long Bytes, long Length, bool IsWhole, bool IsInUse, DateTimeOffset LastUsed);

/// <summary>A blob of the cache that is in use until this is disposed.</summary>
public sealed class CachedBlob : IDisposable
{
    private readonly SafeFileHandle _handle;

    internal CachedBlob(string path, SafeFileHandle handle, Descriptor descriptor)
    {
        Path = path;
        Descriptor = descriptor;
        _handle = handle;
    }

    /// <summary>The file; only to be read.</summary>
    public string Path { get; }

    /// <summary>What it is.</summary>
    public Descriptor Descriptor { get; }

    /// <summary>Has the kernel read the blob into its page cache in the background.</summary>
    public void ReadAhead() => FileAdvice.WillNeed(_handle);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
