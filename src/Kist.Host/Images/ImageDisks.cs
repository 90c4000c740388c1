using Kist.Formats;
using Kist.Images;
using Kist.Images.Sealed;
using Kist.Oci;
using Kist.Pods.Disks;

namespace Kist.Host;

/// <summary>
/// The blobs of a sealed image as disks of one guest. What the cache has whole is a file that all guests share; the rest is
/// served by this process, piece by piece as it arrives. Disposed after the guest's end.
/// </summary>
public sealed class ImageDisks : IAsyncDisposable
{
    private readonly BlobCache _cache;
    private readonly RegistryRepository _registry;
    private readonly List<GuestDisk> _disks = [];
    private readonly List<IDisposable> _held = [];
    private readonly List<LazyBlob> _lazy = [];
    private readonly List<Task> _filling = [];
    private readonly CancellationTokenSource _stop = new();

    private ImageDisks(BlobCache cache, RegistryRepository registry)
    {
        _cache = cache;
        _registry = registry;
    }

    /// <summary>One disk a blob.</summary>
    public IReadOnlyList<GuestDisk> Disks => _disks;

    /// <summary>Why a block could not be fetched, or null. The guest saw an I/O error.</summary>
    public Exception? Failure => _lazy.Select(l => l.Failure).FirstOrDefault(f => f is not null);

    /// <summary>Prepares the disks.</summary>
    /// <param name="cache">The host's cache.</param>
    /// <param name="image">The image; without sealed blobs there are no disks.</param>
    /// <param name="options">How to talk to the registry.</param>
    /// <param name="fetch">When what is missing is fetched.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<ImageDisks> PrepareAsync(
        BlobCache cache, ResolvedImage image, RegistryOptions options, BlobFetch fetch, CancellationToken cancellationToken)
    {
        var disks = new ImageDisks(cache, new RegistryRepository(image.Reference, options));
        try
        {
            foreach (var blob in image.SealedBlobs ?? [])
                await disks.AddAsync(blob, fetch, cancellationToken).ConfigureAwait(false);
            return disks;
        }
        catch
        {
            await disks.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (var filling in _filling)
            await filling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var held in _held)
            held.Dispose();
        _registry.Dispose();
        _stop.Dispose();
    }

    private async Task AddAsync(Descriptor blob, BlobFetch fetch, CancellationToken cancellationToken)
    {
        var serial = SealedDeviceTables.DiskSerial(blob.Digest);
        var whole = _cache.TryOpen(blob);
        if (whole is null && fetch == BlobFetch.Eager)
            whole = await _cache.GetAsync(_registry, blob, cancellationToken).ConfigureAwait(false);
        if (whole is not null)
        {
            _held.Add(whole);
            whole.ReadAhead();
            _disks.Add(new FileDisk(serial, whole.Path));
            return;
        }

        var lazy = _cache.OpenLazy(_registry, blob);
        _held.Add(lazy);
        _lazy.Add(lazy);
        _disks.Add(new ServedDisk(serial, new BlobBlocks(lazy)));
        if (fetch == BlobFetch.Prefetch)
            _filling.Add(Task.Run(() => _cache.FillAsync(lazy, blob, _stop.Token), CancellationToken.None));
    }

    private sealed class BlobBlocks(LazyBlob blob) : IBlockSource
    {
        public long Length => blob.Length;

        public Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) => blob.ReadAsync(offset, buffer, cancellationToken);
    }
}
