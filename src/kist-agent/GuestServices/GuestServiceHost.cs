using System.Collections.Concurrent;
using System.Net;
using Kist.Agent.Volumes;
using Kist.Linux.Processes;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.GuestServices;

/// <summary>Serves the pod's containers: one HTTP front for all, and sockets for each.</summary>
sealed class GuestServiceHost
{
    /// <summary>Where a container finds its sockets.</summary>
    public const string MountPath = "/run/confidential-containers";

    private readonly Guest _guest;
    private readonly ServiceDesk _desk;
    private readonly VolumeShelf _volumes;
    private readonly PersistentVolumes _persistent;
    private readonly ConcurrentDictionary<string, ContainerSockets> _sockets = new(StringComparer.Ordinal);

    public GuestServiceHost(Guest guest, ChildReaper reaper)
    {
        _guest = guest;
        _desk = new ServiceDesk(guest);
        _persistent = new PersistentVolumes(_desk, reaper);
        _volumes = new VolumeShelf(_desk, new EncryptedScratch(reaper), _persistent);
    }

    /// <summary>Starts the HTTP front. A guest without it still runs containers, so its failure is told and no more.</summary>
    public void Start() => _ = ServeAsync();

    /// <summary>Offers the sockets of a container, in a folder that is mounted into it.</summary>
    public void Open(Caller caller, string folder) => _sockets[caller.ContainerId] = new ContainerSockets(new TtrpcFront(_desk, caller), folder);

    /// <summary>Makes a container's volumes ready.</summary>
    public Task<IReadOnlyList<BoundVolume>> PrepareVolumesAsync(
        Caller caller, IReadOnlyList<Volume> volumes, string folder, CancellationToken cancellationToken) =>
        _volumes.PrepareAsync(caller, volumes, folder, cancellationToken);

    /// <summary>What a container's sealed variables become.</summary>
    public Task<IReadOnlyDictionary<string, string>> UnsealAsync(Caller caller, IReadOnlyList<string> environment, CancellationToken cancellationToken) =>
        SealedEnvironment.UnsealAsync(_desk, caller, environment, cancellationToken);

    /// <summary>Writes out volumes that outlive the guest, whose containers have ended.</summary>
    public void CloseVolumes() => _persistent.Close();

    /// <summary>Closes a container's sockets.</summary>
    public void Close(string containerId)
    {
        if (_sockets.TryRemove(containerId, out var sockets))
            sockets.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            await new HttpFront(_desk, new CallerLookup(_guest.Containers)).ServeAsync();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync($"kist-agent: guest services: {e.GetType().Name}");
        }
    }
}
