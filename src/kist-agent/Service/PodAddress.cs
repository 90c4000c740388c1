using System.Net;
using System.Net.Sockets;
using Kist.Pods.Protocol;

namespace Kist.Agent.Service;

/// <summary>
/// Addresses that the host names. A policy compares text, so each has one way to be written; and whatever a policy says, the
/// addresses of the loopback interface are the guest's own.
/// </summary>
static class PodAddress
{
    private const int Shown = 64;

    /// <summary>An address such as 10.1.2.3 or fd00::3.</summary>
    public static IPAddress Parse(string text) => IPAddress.TryParse(text, out var address) && IsPods(address) && address.ToString() == text
        ? address
        : throw Unfit("read address", text, "it is no IP address in its usual form, or one of the guest's own");

    /// <summary>A network such as 10.1.0.0/16.</summary>
    public static IPNetwork ParseNetwork(string text) => IPNetwork.TryParse(text, out var network) && IsPods(network.BaseAddress) && network.ToString() == text
        ? network
        : throw Unfit("read network", text, "it is no network in its usual form, such as 10.1.0.0/16, or one of the guest's own");

    private static bool IsPods(IPAddress address) =>
        !IPAddress.IsLoopback(address) && !address.IsIPv4MappedToIPv6 && (address.AddressFamily == AddressFamily.InterNetwork || address.ScopeId == 0);

    private static AgentException Unfit(string step, string text, string reason) =>
        new(FailureCode.InvalidRequest, step, text.Length <= Shown ? text : text[..Shown] + "…", reason);
}
