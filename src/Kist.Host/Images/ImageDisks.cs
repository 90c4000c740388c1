using Kist.Formats;
using Kist.Images;
using Kist.Images.Sealed;
using Kist.Oci;
using Kist.Pods.Disks;

namespace Kist.Host;

/// <summary>
/// The blobs of sealed images as disks of one guest. What the cache has whole is a file that all guests share; the rest is
/// served by this process, piece by piece as it arrives. Disposed after the guest's end.
/// </summary>
public sealed class ImageDisks : IAsyncDisposable
{
    private readonly BlobCache _cache;
    private readonly List<RegistryRepository> _registries = [];
    private readonly List<Descriptor> _blobs = [];
    private readonly List<GuestDisk> _disks = [];
    private readonly List<IDisposable> _held = [];
    private readonly List<LazyBlob> _lazy = [];
    private readonly List<Task> _filling = [];
    private readonly CancellationTokenSource _stop = new(), _hurry = new();

    private ImageDisks(BlobCache cache) => _cache = cache;

    /// <summary>One disk a blob.</summary>
    public IReadOnlyList<GuestDisk> Disks => _disks;

    /// <summary>Why a block could not be fetched, or null. The guest saw an I/O error.</summary>
    public Exception? Failure => _lazy.Select(l => l.Failure).FirstOrDefault(f => f is not null);

    /// <summary>The guest's start is over: what is still fetched ahead no longer gives way to it.</summary>
    public void Hurry() => _hurry.Cancel();

    /// <summary>True for a blob of these disks, by its serial number.</summary>
    public bool Has(string serial) => _disks.Any(d => d.Serial == serial);

    /// <summary>What to tell of blobs whose blocks the guest has refused.</summary>
    /// <param name="corrupted">Serial numbers of their disks.</param>
    public IEnumerable<string> Describe(IEnumerable<string> corrupted) => corrupted.Select(serial =>
    {
        var blob = _blobs.FirstOrDefault(b => SealedDeviceTables.DiskSerial(b.Digest) == serial)?.Digest.ToString() ?? serial;
        return Failure is { } failure
            ? $"blocks of {blob} could not be fetched or were refused by the guest: {failure.Message}"
            : $"the guest refused blocks of {blob}, which are not the image's: what read them got I/O errors. Was the host's cache changed? kist image cache verify";
    });

    /// <summary>Prepares the disks.</summary>
    /// <param name="cache">The host's cache.</param>
    /// <param name="images">The images; those without sealed blobs need no disks.</param>
    /// <param name="options">How to talk to the registry.</param>
    /// <param name="fetch">When what is missing is fetched.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<ImageDisks> PrepareAsync(
        BlobCache cache, IReadOnlyList<ResolvedImage> images, RegistryOptions options, BlobFetch fetch, CancellationToken cancellationToken)
    {
        var disks = new ImageDisks(cache);
        try
        {
            foreach (var image in images.Where(i => i.SealedBlobs is not null))
            {
                var registry = new RegistryRepository(image.Reference, options);
                disks._registries.Add(registry);
                foreach (var blob in image.SealedBlobs!.Where(b => disks._blobs.All(a => a.Digest != b.Digest)))
                    await disks.AddAsync(registry, blob, fetch, cancellationToken).ConfigureAwait(false);
            }

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
        foreach (var registry in _registries)
            registry.Dispose();
        _stop.Dispose();
        _hurry.Dispose();
    }

    /// <summary>
    /// While the guest starts, fetching ahead gives way to it: nothing waits for a whole image, and on a small machine the
    /// registry's, the network's and the guest's work take turns.
    /// </summary>
    private async Task PauseAsync(TimeSpan taken, CancellationToken cancellationToken)
    {
        if (_hurry.IsCancellationRequested)
            return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_hurry.Token, cancellationToken);
        await Task.Delay(taken * Math.Min(2, 4.0 / Environment.ProcessorCount), either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task AddAsync(RegistryRepository registry, Descriptor blob, BlobFetch fetch, CancellationToken cancellationToken)
    {
        _blobs.Add(blob);
        var serial = SealedDeviceTables.DiskSerial(blob.Digest);
        var whole = _cache.TryOpen(blob);
        if (whole is null && fetch == BlobFetch.Eager)
            whole = await _cache.GetAsync(registry, blob, cancellationToken).ConfigureAwait(false);
        if (whole is not null)
        {
            _held.Add(whole);
            whole.ReadAhead();
            _disks.Add(new FileDisk(serial, whole.Path));
            return;
        }

        var lazy = _cache.OpenLazy(registry, blob);
        _held.Add(lazy);
        _lazy.Add(lazy);
        _disks.Add(new ServedDisk(serial, new BlobBlocks(lazy)));
        if (fetch == BlobFetch.Prefetch)
            _filling.Add(Task.Run(() => _cache.FillAsync(lazy, blob, PauseAsync, _stop.Token), CancellationToken.None));
    }

    private sealed class BlobBlocks(LazyBlob blob) : IBlockSource
    {
        public long Length => blob.Length;

        public Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) => blob.ReadAsync(offset, buffer, cancellationToken);
    }
}
