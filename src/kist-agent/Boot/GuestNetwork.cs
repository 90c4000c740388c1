using System.Net;
using Kist.Linux.Network;

namespace Kist.Agent.Boot;

/// <summary>The guest's network: QEMU's user network, with addresses that are always the same, or none.</summary>
static class GuestNetwork
{
    private static readonly IPAddress Address = new([10, 0, 2, 15]), Mask = new([255, 255, 255, 0]);

    /// <summary>Where services of the host are reached, each by its port (Kist.Pods GuestDoor).</summary>
    public static IPAddress Door { get; } = new([10, 0, 2, 100]);

    public static void Configure()
    {
        NetworkInterfaces.BringUp("lo");
        var device = Directory.GetDirectories("/sys/class/net").Select(Path.GetFileName).FirstOrDefault(n => n is not "lo");
        // No default route: what the guest may reach has an address of this network.
        if (device is not null)
            NetworkInterfaces.Configure(device, Address, Mask);
    }
}
