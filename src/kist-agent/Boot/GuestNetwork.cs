using System.Net;
using Kist.Linux.Network;
using Kist.Pods.Protocol;

namespace Kist.Agent.Boot;

/// <summary>
/// The guest's interfaces at boot: the one that leads to the pod's doors gets addresses that are always the same; those of
/// the pod's network wait, under names that nobody will ask for, until the host says what they are to be.
/// </summary>
static class GuestNetwork
{
    private const string Folder = "/sys/class/net", DoorName = "door0";

    private static readonly IPAddress Address = new([10, 0, 2, 15]), Mask = new([255, 255, 255, 0]);

    /// <summary>Where services of the host are reached, each by its port (Kist.Pods GuestDoor).</summary>
    public static IPAddress Door { get; } = new([10, 0, 2, 100]);

    /// <summary>True for an address that a door may have.</summary>
    public static bool IsDoor(IPAddress address) => address.GetAddressBytes() is [10, 0, 2, >= 100 and < 200];

    public static void Configure()
    {
        NetworkInterfaces.BringUp("lo");
        using var kernel = new RouteNetlink();
        var waiting = 0;
        foreach (var name in Names().ToArray())
        {
            if (HardwareAddressOf(name) != GuestAddresses.DoorInterface)
            {
                kernel.Rename(IndexOf(name), $"waiting{waiting++}");
                continue;
            }

            kernel.Rename(IndexOf(name), DoorName);
            // No default route: what the guest may reach has an address of this network.
            NetworkInterfaces.Configure(DoorName, Address, Mask);
        }
    }

    /// <summary>The interface with a hardware address; null if there is none, or if it is the doors'.</summary>
    public static string? Find(string hardwareAddress) => hardwareAddress == GuestAddresses.DoorInterface
        ? null
        : Names().FirstOrDefault(n => HardwareAddressOf(n) == hardwareAddress);

    /// <summary>True if a pod's interface has that name.</summary>
    public static bool IsPodInterface(string name) => name != DoorName && Names().Contains(name);

    public static int IndexOf(string name) => int.Parse(File.ReadAllText($"{Folder}/{name}/ifindex"), System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> Names() => Directory.GetDirectories(Folder).Select(d => Path.GetFileName(d)).Where(n => n != "lo");

    private static string HardwareAddressOf(string name) => File.ReadAllText($"{Folder}/{name}/address").TrimEnd();
}
