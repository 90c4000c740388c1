using System.Globalization;
using System.Net;
using Kist.Agent.Boot;
using Kist.Agent.Policy;
using Kist.Linux.Network;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Service;

/// <content>Requests about the pod's network.</content>
sealed partial class AgentService
{
    private const int MaximumAddresses = 64, MaximumRoutes = 256, MaximumName = 15;
    private const uint SmallestMtu = 68, LargestMtu = 65_535;

    private Empty UpdateInterface(UpdateInterfaceRequest request)
    {
        if (request.Addresses.Count > MaximumAddresses)
            throw Unfit("configure interface", request.HardwareAddress, $"it has more than {MaximumAddresses} addresses");
        // Read first: a policy compares text, so each address has one way to be written.
        var addresses = request.Addresses.Select(a => (Address: PodAddress.Parse(a.Address), Prefix: (int)Math.Min(a.PrefixLength, 128))).ToArray();
        guest.Policy.Require(PolicyRules.UpdateInterface, json =>
        {
            json.WriteStartObject("interface");
            json.WriteString("hwAddr", request.HardwareAddress);
            json.WriteString("name", request.Name);
            json.WriteNumber("mtu", request.Mtu);
            json.WriteStartArray("IPAddresses");
            foreach (var address in request.Addresses)
            {
                json.WriteStartObject();
                json.WriteString("address", address.Address);
                json.WriteString("mask", address.PrefixLength.ToString(CultureInfo.InvariantCulture));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
        var current = GuestNetwork.Find(request.HardwareAddress)
            ?? throw Unfit("configure interface", request.Name, "the guest has no interface of this hardware address");
        if (request.Name.Length is 0 or > MaximumName || request.Name is "." or ".." || request.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_')))
            throw Unfit("configure interface", request.HardwareAddress, $"a name has 1 to {MaximumName} of [a-zA-Z0-9._-]");
        if (request.Mtu is < SmallestMtu or > LargestMtu)
            throw Unfit("configure interface", request.Name, $"the MTU lies between {SmallestMtu} and {LargestMtu}");

        using var kernel = new RouteNetlink();
        var index = GuestNetwork.IndexOf(current);
        if (current != request.Name)
            kernel.Rename(index, request.Name);
        kernel.SetMtu(index, request.Mtu);
        kernel.BringUp(index);
        foreach (var (address, prefix) in addresses)
            kernel.AddAddress(index, address, prefix);
        return new Empty();
    }

    private Empty UpdateRoutes(UpdateRoutesRequest request)
    {
        if (request.Routes.Count > MaximumRoutes)
            throw Unfit("add routes", "pod", $"there are more than {MaximumRoutes}");
        var destinations = request.Routes.Select(r => r.Destination.Length > 0 ? PodAddress.ParseNetwork(r.Destination) : (IPNetwork?)null).ToArray();
        guest.Policy.Require(PolicyRules.UpdateRoutes, json =>
        {
            json.WriteStartObject("routes");
            json.WriteStartArray("Routes");
            foreach (var route in request.Routes)
            {
                json.WriteStartObject();
                json.WriteString("dest", route.Destination);
                json.WriteString("gateway", route.Gateway);
                json.WriteString("device", route.Device);
                json.WriteString("source", route.Source);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
        using var kernel = new RouteNetlink();
        foreach (var (route, destination) in request.Routes.Zip(destinations))
            Add(kernel, route, destination);
        return new Empty();
    }

    private static void Add(RouteNetlink kernel, Route route, IPNetwork? destination)
    {
        if (!GuestNetwork.IsPodInterface(route.Device))
            throw Unfit("add route", route.Device, "the pod has no interface of this name");
        var gateway = route.Gateway.Length > 0 ? PodAddress.Parse(route.Gateway) : null;
        if (destination is null && gateway is null)
            throw Unfit("add route", route.Device, "a route has a destination or a gateway");
        kernel.AddRoute(
            destination?.BaseAddress, destination?.PrefixLength ?? 0, gateway, GuestNetwork.IndexOf(route.Device),
            route.Source.Length > 0 ? PodAddress.Parse(route.Source) : null, route.OnLink);
    }

    private static AgentException Unfit(string step, string subject, string reason) => new(FailureCode.InvalidRequest, step, subject, reason);
}
