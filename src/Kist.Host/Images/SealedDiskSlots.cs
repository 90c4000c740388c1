using Kist.Formats;
using Kist.Images;
using Kist.Images.Sealed;
using Kist.Oci;
using Kist.Pods.Disks;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>
/// Disks that a pod's machine has from the start and that are empty, until a container joins the pod whose image is sealed: then
/// each of its blobs is put into one. The machine, and with it what is measured of its launch, does not change; neither is a device
/// added to a running guest. A blob stays in its slot as long as the pod lives, since the guest may have it mounted.
/// </summary>
public sealed class SealedDiskSlots : IAsyncDisposable
{
    /// <summary>As many as fit the machine's bus beside everything else.</summary>
    public const int Maximum = 8;

    private readonly BlobCache _cache;
    private readonly Slot[] _slots;
    private readonly List<ImageDisks> _images = [];
    private readonly SemaphoreSlim _attaching = new(1, 1);

    /// <summary>Reserves disks.</summary>
    /// <param name="state">Where the host's cache of blobs is.</param>
    /// <param name="count">How many, 0 to <see cref="Maximum"/>.</param>
    public SealedDiskSlots(StateDirectory state, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Maximum);
        _cache = new BlobCache(state.ImageCache);
        _slots = [.. Enumerable.Range(0, count).Select(i => new Slot($"slot{i}"))];
    }

    /// <summary>What the machine gets.</summary>
    public IReadOnlyList<GuestDisk> Disks => [.. _slots.Select(s => new ServedDisk(s.Serial, s))];

    /// <summary>Puts an image's blobs into slots; what is in one already stays there.</summary>
    /// <param name="image">The image as this host names it.</param>
    /// <param name="fetch">When what is missing in the cache is fetched.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Where the guest finds them; null if the image is not sealed.</returns>
    /// <exception cref="OperationFailedException">The registry does not answer, or the pod has no slot left.</exception>
    public async Task<IReadOnlyList<ImageDisk>?> AttachAsync(ImageReference image, BlobFetch fetch, CancellationToken cancellationToken)
    {
        var options = RegistryAccess.For(new ImageDemands()) with { MaxAttempts = 2, ConnectTimeout = TimeSpan.FromSeconds(5) };
        var resolved = await ResolvedImage.ResolveAsync(image, options, cancellationToken).ConfigureAwait(false);
        if (resolved.SealedBlobs is not { } blobs)
            return null;
        await _attaching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var serials = blobs.Select(b => SealedDeviceTables.DiskSerial(b.Digest)).ToList();
            var missing = blobs.Where((_, i) => Find(serials[i]) is null).ToList();
            var free = _slots.Count(s => s.Blob is null);
            if (missing.Count > free)
            {
                throw new OperationFailedException(
                    "attach sealed image", image.ToString(), $"it needs {missing.Count} more disks, and {free} of the pod's {_slots.Length} are left",
                    $"the shim's configuration says how many a pod has: \"sealedDisks\", at most {Maximum}");
            }

            await FillAsync(resolved with { SealedBlobs = missing }, options, fetch, cancellationToken).ConfigureAwait(false);
            return [.. serials.Select(s => new ImageDisk { Blob = s, Disk = Find(s)!.Serial })];
        }
        finally
        {
            _attaching.Release();
        }
    }

    /// <summary>What to tell of blobs whose blocks the guest has refused.</summary>
    /// <param name="corrupted">Serial numbers of their disks.</param>
    public IEnumerable<string> Describe(IReadOnlyList<string> corrupted) => _images.SelectMany(i => i.Describe(corrupted.Where(i.Has)));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var image in _images)
            await image.DisposeAsync().ConfigureAwait(false);
        foreach (var slot in _slots)
            slot.Dispose();
        _attaching.Dispose();
    }

    private async Task FillAsync(ResolvedImage image, RegistryOptions options, BlobFetch fetch, CancellationToken cancellationToken)
    {
        var disks = await ImageDisks.PrepareAsync(_cache, [image], options, fetch, cancellationToken).ConfigureAwait(false);
        _images.Add(disks);
        disks.Hurry();
        foreach (var disk in disks.Disks)
            _slots.First(s => s.Blob is null).Put(disk);
    }

    private Slot? Find(string blob) => _slots.FirstOrDefault(s => s.Blob == blob);

    /// <summary>A disk of a fixed size: what is put into it, and zeros behind that.</summary>
    private sealed class Slot(string serial) : IBlockSource, IDisposable
    {
        private const long Size = 1L << 40;

        private volatile IBlockSource? _content;
        private FileBlocks? _file;

        public string Serial => serial;

        /// <summary>The serial number of the blob in it, or null.</summary>
        public string? Blob { get; private set; }

        public long Length => Size;

        public void Put(GuestDisk disk)
        {
            Blob = disk.Serial;
            _content = disk is ServedDisk served ? served.Source : _file = new FileBlocks(((FileDisk)disk).Path);
        }

        public async Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var content = _content;
            var count = (int)Math.Clamp((content?.Length ?? 0) - offset, 0, buffer.Length);
            buffer.Span[count..].Clear();
            if (count > 0)
                await content!.ReadAsync(offset, buffer[..count], cancellationToken).ConfigureAwait(false);
        }

        public void Dispose() => _file?.Dispose();
    }
}
