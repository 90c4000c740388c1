using System.Globalization;
using System.Text.Json;
using Kist.Formats;
using Kist.Linux.Network;
using Kist.Pods.Agent;
using Kist.Pods.Machines;
using Kist.Pods.Protocol.Agent;

namespace Kist.Shim.Network;

/// <summary>
/// Joins the interfaces of a pod's network namespace, as CNI plugins have made them, to the guest: each gets a tap beside
/// it, and traffic control passes every frame that comes in at one out at the other. The guest's interface has the same
/// hardware address, so that neighbours notice nothing.
/// </summary>
internal sealed class PodNetwork
{
    private const string Ip = "/usr/sbin/ip", TrafficControl = "/usr/sbin/tc", TapPrefix = "kist";
    private const int MaximumInterfaces = 8;

    private readonly IReadOnlyList<IpInterface> _interfaces;
    private readonly IReadOnlyList<IpRoute> _routes;

    private PodNetwork(IReadOnlyList<GuestInterface> guests, IReadOnlyList<IpInterface> interfaces, IReadOnlyList<IpRoute> routes)
    {
        Interfaces = guests;
        _interfaces = interfaces;
        _routes = routes;
    }

    /// <summary>What the machine is to have.</summary>
    public IReadOnlyList<GuestInterface> Interfaces { get; }

    /// <summary>Joins a namespace; null if it has no interfaces.</summary>
    /// <exception cref="OperationFailedException">An interface cannot be joined.</exception>
    public static PodNetwork? Join(string networkNamespace)
    {
        var interfaces = JsonSerializer.Deserialize(NamespaceTool.Run(networkNamespace, Ip, "-json", "address", "show"), IpJson.Default.IReadOnlyListIpInterface)!
            .Where(i => i.LinkType == "ether" && !i.Name.StartsWith(TapPrefix, StringComparison.Ordinal)).ToArray();
        if (interfaces.Length == 0)
            return null;
        if (interfaces.Length > MaximumInterfaces)
            throw new OperationFailedException("join network", networkNamespace, $"it has {interfaces.Length} interfaces, and {MaximumInterfaces} can be joined");
        string[] families = ["-4", "-6"];
        var routes = families.SelectMany(f => JsonSerializer.Deserialize(
            NamespaceTool.Run(networkNamespace, Ip, "-json", f, "route", "show", "table", "main"), IpJson.Default.IReadOnlyListIpRoute)!).ToArray();
        var guests = new List<GuestInterface>();
        try
        {
            for (var i = 0; i < interfaces.Length; i++)
                guests.Add(JoinOne(networkNamespace, interfaces[i], string.Create(CultureInfo.InvariantCulture, $"{TapPrefix}{i}")));
            return new PodNetwork(guests, interfaces, routes);
        }
        catch
        {
            guests.ForEach(g => g.Tap.Dispose());
            throw;
        }
    }

    /// <summary>Takes back what has been changed in a namespace; the taps are gone with their machine.</summary>
    public static void Leave(string networkNamespace)
    {
        if (!File.Exists(networkNamespace))
            return;
        try
        {
            foreach (var joined in JsonSerializer.Deserialize(NamespaceTool.Run(networkNamespace, Ip, "-json", "address", "show"), IpJson.Default.IReadOnlyListIpInterface)!
                .Where(i => i.LinkType == "ether"))
            {
                TryRun(networkNamespace, "qdisc", "del", "dev", joined.Name, "ingress");
            }
        }
        catch (OperationFailedException)
        {
            // The namespace is going away by itself.
        }
    }

    /// <summary>Tells the guest what its interfaces are; its policy may deny it.</summary>
    public async Task ConfigureAsync(PodAgentClient agent, CancellationToken cancellationToken)
    {
        foreach (var joined in _interfaces)
        {
            await agent.UpdateInterfaceAsync(
                new UpdateInterfaceRequest
                {
                    HardwareAddress = joined.HardwareAddress,
                    Name = joined.Name,
                    Mtu = joined.Mtu,
                    Addresses = { joined.Addresses.Where(a => a.Scope == "global").Select(a => new InterfaceAddress { Address = a.Local, PrefixLength = a.PrefixLength }) },
                },
                cancellationToken).ConfigureAwait(false);
        }

        // Routes on links come before those by gateways; what an address makes, the guest's kernel makes as well.
        var routes = _routes.Where(r => r.Protocol != "kernel" && _interfaces.Any(i => i.Name == r.Device))
            .OrderBy(r => r.Gateway.Length > 0).ThenBy(r => r.Destination == "default").Select(Convert);
        await agent.UpdateRoutesAsync(new UpdateRoutesRequest { Routes = { routes } }, cancellationToken).ConfigureAwait(false);
    }

    private static GuestInterface JoinOne(string networkNamespace, IpInterface joined, string tapName)
    {
        var tap = NetworkNamespace.Run(networkNamespace, () => TapDevice.Create(tapName));
        try
        {
            NamespaceTool.Run(networkNamespace, Ip, "link", "set", "dev", tapName, "mtu", joined.Mtu.ToString(CultureInfo.InvariantCulture), "up");
            TryRun(networkNamespace, "qdisc", "del", "dev", joined.Name, "ingress");
            Redirect(networkNamespace, joined.Name, tapName);
            Redirect(networkNamespace, tapName, joined.Name);
            return new GuestInterface(tap, joined.HardwareAddress);
        }
        catch
        {
            tap.Dispose();
            throw;
        }
    }

    private static void Redirect(string networkNamespace, string from, string to)
    {
        NamespaceTool.Run(networkNamespace, TrafficControl, "qdisc", "add", "dev", from, "ingress");
        NamespaceTool.Run(
            networkNamespace, TrafficControl, "filter", "add", "dev", from, "parent", "ffff:", "protocol", "all", "u32", "match", "u8", "0", "0",
            "action", "mirred", "egress", "redirect", "dev", to);
    }

    private static void TryRun(string networkNamespace, params string[] arguments)
    {
        try
        {
            NamespaceTool.Run(networkNamespace, TrafficControl, arguments);
        }
        catch (OperationFailedException)
        {
            // There was nothing to take away.
        }
    }

    private static Route Convert(IpRoute route) => new()
    {
        Destination = route.Destination is "default" ? ""
            : route.Destination.Contains('/', StringComparison.Ordinal) ? route.Destination
            : route.Destination + (route.Destination.Contains(':', StringComparison.Ordinal) ? "/128" : "/32"),
        Gateway = route.Gateway,
        Device = route.Device,
        Source = route.Source,
        OnLink = route.Flags.Contains("onlink", StringComparer.Ordinal),
    };
}
