using Kist.Formats;
using Kist.Host;
using Kist.Oci;
using Kist.Pods.Disks;
using Kist.Pods.Protocol.Agent;

namespace Kist.Shim.Launching;

/// <summary>The disks of a pod's machine: for blobs of sealed images, and one for what containers write.</summary>
internal sealed class PodDisks(StateDirectory state, ShimConfiguration configuration, ShimLog log) : IAsyncDisposable
{
    private const string WritableDisk = "writable-layer";

    private readonly SealedDiskSlots _slots = new(state, configuration.SealedDisks);

    /// <summary>What the machine gets; the same for all pods of a configuration.</summary>
    public IReadOnlyList<GuestDisk> All => configuration.WritableMebibytes == 0
        ? _slots.Disks
        : [.. _slots.Disks, new ScratchDisk(WritableDisk, (long)configuration.WritableMebibytes << 20, Path.Combine(state.Root, "scratch"))];

    /// <summary>
    /// Brings the disks of a container's image. A registry that this host cannot ask may answer the guest, for an image that needs
    /// no disks; the guest says so if it needs them.
    /// </summary>
    public async Task AttachAsync(CreateContainerRequest request, ImageReference image, CancellationToken cancellationToken)
    {
        if (configuration.SealedDisks == 0)
            return;
        IReadOnlyList<ImageDisk>? disks;
        try
        {
            disks = await _slots.AttachAsync(image, BlobFetch.Prefetch, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryException e)
        {
            log.Error($"{request.ContainerId}: whether {image} is sealed is not known here: {e.Message}");
            return;
        }

        if (disks is null)
            return;
        request.ImageDisks.AddRange(disks);
        if (configuration.WritableMebibytes > 0 && !request.ReadOnlyRoot)
            request.WritableDisk = WritableDisk;
    }

    public IEnumerable<string> Describe(IReadOnlyList<string> corrupted) => _slots.Describe(corrupted);

    public ValueTask DisposeAsync() => _slots.DisposeAsync();
}
