using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using Kist.Linux.Files;
using Kist.Oci;
using Microsoft.Win32.SafeHandles;

namespace Kist.Images;

/// <summary>
/// A blob of the cache of which only parts are there yet: a sparse file, and beside it a map with a byte a piece. Pieces are
/// fetched by ranged requests when they are read, or one after the other by <see cref="FillAsync"/>. Processes share both
/// files: a piece that one has fetched is there for all. Nothing proves a single piece; the guest does, block by block, and
/// the whole is proven by its digest before it becomes a blob of the cache.
/// </summary>
public sealed class LazyBlob : IDisposable
{
    /// <summary>Bytes of a piece.</summary>
    public const int PieceBytes = 512 * 1024;

    /// <summary>Enough to hide a round trip; more would take the machine from the guests that are starting.</summary>
    private const int ParallelPieces = 2;

    private readonly Descriptor _blob;
    private readonly IRangeSource _source;
    private readonly string _path;
    private readonly SafeFileHandle _data;
    private readonly SafeFileHandle _lock;
    private readonly MemoryMappedFile _mapFile;
    private readonly MemoryMappedViewAccessor _map;
    private readonly ConcurrentDictionary<int, Lazy<Task>> _fetching = [];
    private long _fetched;

    private LazyBlob(Descriptor blob, IRangeSource source, string path, SafeFileHandle data, SafeFileHandle locked)
    {
        _blob = blob;
        _source = source;
        _path = path;
        _data = data;
        _lock = locked;
        var map = new FileStream(MapOf(path), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        _mapFile = MemoryMappedFile.CreateFromFile(map, null, Pieces, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        _map = _mapFile.CreateViewAccessor(0, Pieces);
    }

    /// <summary>Length of the blob.</summary>
    public long Length => _blob.Size;

    /// <summary>Bytes that this object has fetched itself.</summary>
    public long FetchedBytes => Interlocked.Read(ref _fetched);

    /// <summary>The first failure to fetch a piece, or null. Readers got an error.</summary>
    public Exception? Failure { get; private set; }

    private int Pieces => (int)((_blob.Size + PieceBytes - 1) / PieceBytes);

    /// <summary>Opens the partial file of a blob, making it if there is none; null if it was removed meanwhile.</summary>
    internal static LazyBlob? TryOpen(string path, Descriptor blob, IRangeSource source)
    {
        SafeFileHandle? data = null, locked = null;
        try
        {
            data = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            locked = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);

            // Whoever collects garbage has the lock exclusively while it removes the file.
            if (FileExamination.FindTarget(path)?.Inode is { } inode && FileExamination.Of(data).Inode == inode && FileExamination.Of(locked).Inode == inode)
            {
                if (RandomAccess.GetLength(data) != blob.Size)
                    RandomAccess.SetLength(data, blob.Size);
                return new LazyBlob(blob, source, path, data, locked);
            }
        }
        catch (Exception e)
        {
            data?.Dispose();
            locked?.Dispose();
            if (e is FileNotFoundException or IOException { HResult: Linux.Errno.EAGAIN })
                return null; // removed, or being removed
            throw;
        }

        data.Dispose();
        locked.Dispose();
        return null;
    }

    /// <summary>Bytes that a partial file has, by its map.</summary>
    internal static long PresentBytes(string path)
    {
        var map = MapOf(path);
        return File.Exists(map) ? File.ReadAllBytes(map).Count(b => b != 0) * (long)PieceBytes : 0;
    }

    /// <summary>Where the map of a partial file lies.</summary>
    internal static string MapOf(string path) => path + ".map";

    /// <summary>Reads, and fetches what is missing.</summary>
    public async Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(buffer.Length, _blob.Size - offset);
        if (buffer.IsEmpty)
            return;
        var last = (int)((offset + buffer.Length - 1) / PieceBytes);
        for (var piece = (int)(offset / PieceBytes); piece <= last; piece++)
            await RequireAsync(piece, cancellationToken).ConfigureAwait(false);
        while (!buffer.IsEmpty)
        {
            var count = RandomAccess.Read(_data, buffer.Span, offset);
            if (count == 0)
                throw new EndOfStreamException();
            offset += count;
            buffer = buffer[count..];
        }
    }

    /// <summary>Fetches all that is missing, proves the whole, and makes it a blob of the cache.</summary>
    /// <param name="finished">Where the whole goes.</param>
    /// <param name="pause">Waits after a piece, told how long that took; null for no waiting.</param>
    /// <param name="cancellationToken">Stops it; what was fetched stays.</param>
    /// <exception cref="ContentMismatchException">The registry sent something else; it is thrown away.</exception>
    internal async Task FillAsync(string finished, Func<TimeSpan, CancellationToken, Task>? pause, CancellationToken cancellationToken)
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Pieces), new ParallelOptions { MaxDegreeOfParallelism = ParallelPieces, CancellationToken = cancellationToken },
            FillPieceAsync).ConfigureAwait(false);
        var digest = await Task.Run(() => Hash(cancellationToken), cancellationToken).ConfigureAwait(false);

        // Before the file has its new name: a map must never outlive what it describes.
        File.Delete(MapOf(_path));
        if (_blob.Digest.MatchesHash(digest))
        {
            if (File.Exists(_path))
                File.Move(_path, finished, overwrite: true);
            return;
        }

        File.Delete(_path);
        throw new ContentMismatchException("blob", _blob.Digest, "the registry's content has another digest");

        async ValueTask FillPieceAsync(int piece, CancellationToken token)
        {
            if (_map.ReadByte(piece) != 0)
                return;
            var begun = Stopwatch.GetTimestamp();
            await RequireAsync(piece, token).ConfigureAwait(false);
            if (pause is not null)
                await pause(Stopwatch.GetElapsedTime(begun), token).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _map.Dispose();
        _mapFile.Dispose();
        _data.Dispose();
        _lock.Dispose();
    }

    private async Task RequireAsync(int piece, CancellationToken cancellationToken)
    {
        if (_map.ReadByte(piece) != 0)
            return;

        // Whoever asked first fetches for all, and is not stopped when one of them gives up.
        var fetch = _fetching.GetOrAdd(piece, p => new Lazy<Task>(() => FetchAsync(p)));
        try
        {
            await fetch.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (fetch.Value.IsCompleted)
                _fetching.TryRemove(KeyValuePair.Create(piece, fetch));
        }
    }

    private async Task FetchAsync(int piece)
    {
        var offset = (long)piece * PieceBytes;
        var buffer = new byte[Math.Min(PieceBytes, _blob.Size - offset)];
        try
        {
            await _source.ReadRangeAsync(_blob, offset, buffer, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Failure ??= e;
            throw;
        }

        RandomAccess.Write(_data, buffer, offset);
        Interlocked.Add(ref _fetched, buffer.Length);
        _map.Write(piece, (byte)1);
    }

    private byte[] Hash(CancellationToken cancellationToken)
    {
        using var hash = _blob.Digest.CreateHash();
        var buffer = new byte[PieceBytes];
        int count;
        for (long offset = 0; (count = RandomAccess.Read(_data, buffer, offset)) > 0; offset += count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }

        return hash.GetHashAndReset();
    }
}
