using System.Net;
using Kist.Formats;
using Kist.Pods.Machines;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>
/// The doors of one guest: to the broker, to the images' registries, and to every other host that those have sent their owner
/// to. Doors of one port have addresses of their own, which the guest is told.
/// </summary>
sealed class RegistryDoors
{
    private readonly List<GuestDoor> _doors = [];
    private readonly List<RegistryDoor> _told = [];

    private RegistryDoors()
    {
    }

    /// <summary>What the machine gets.</summary>
    public IReadOnlyList<GuestDoor> Doors => _doors;

    /// <summary>What the agent is told.</summary>
    public IReadOnlyList<RegistryDoor> Told => _told;

    /// <summary>Opens the doors.</summary>
    /// <param name="broker">The broker on this host.</param>
    /// <param name="images">The images, each with the hosts that its owner's client was sent to.</param>
    /// <param name="demands">Where simple signatures are looked for.</param>
    /// <param name="cancellationToken">Stops looking names up.</param>
    public static async Task<RegistryDoors> OpenAsync(
        IPEndPoint broker, IReadOnlyList<ResolvedImage> images, ImageDemands demands, CancellationToken cancellationToken)
    {
        var doors = new RegistryDoors();
        doors._doors.Add(new GuestDoor(broker.Port, broker));
        var hosts = images.Select(i => RegistryAccess.AuthorityOf(i.Reference))
            .Concat(images.SelectMany(i => i.Hosts))
            .Concat(images.Select(i => demands.LookasideFor(i.Reference)).OfType<Uri>().Select(u => (u.Host, u.Port)));
        foreach (var (host, port) in hosts.Distinct())
            doors.Add(host, await RegistryAccess.EndPointAsync(host, port, cancellationToken).ConfigureAwait(false));
        return doors;
    }

    private void Add(string host, IPEndPoint service)
    {
        for (var i = 0; i < GuestDoor.MaximumAddresses; i++)
        {
            var address = GuestDoor.AddressOf(i);
            if (_doors.Any(d => d.GuestPort == service.Port && d.Address.Equals(address)))
                continue;
            _doors.Add(new GuestDoor(service.Port, service) { Address = address });
            if (i > 0)
                _told.Add(new RegistryDoor { Authority = $"{host}:{service.Port}", Address = address.ToString() });
            return;
        }

        throw new OperationFailedException("open door", $"{host}:{service.Port}", $"the registry sends its clients to more than {GuestDoor.MaximumAddresses} hosts");
    }
}
