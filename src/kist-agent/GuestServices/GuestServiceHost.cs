using System.Collections.Concurrent;
using System.Net;

namespace Kist.Agent.GuestServices;

/// <summary>Serves the pod's containers: one HTTP front for all, and sockets for each.</summary>
sealed class GuestServiceHost(Guest guest)
{
    /// <summary>Where a container finds its sockets.</summary>
    public const string MountPath = "/run/confidential-containers";

    private readonly ServiceDesk _desk = new(guest);
    private readonly ConcurrentDictionary<string, ContainerSockets> _sockets = new(StringComparer.Ordinal);

    /// <summary>Starts the HTTP front. A guest without it still runs containers, so its failure is told and no more.</summary>
    public void Start() => _ = ServeAsync();

    /// <summary>Offers the sockets of a container, in a folder that is mounted into it.</summary>
    public void Open(Caller caller, string folder) => _sockets[caller.ContainerId] = new ContainerSockets(new TtrpcFront(_desk, caller), folder);

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
            await new HttpFront(_desk, new CallerLookup(guest.Containers)).ServeAsync();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync($"kist-agent: guest services: {e.GetType().Name}");
        }
    }
}
