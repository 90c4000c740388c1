using System.Globalization;
using System.Net;
using Kist.Formats;

namespace Kist.Host;

/// <summary>A port of this machine whose connections are carried to a port of the pod.</summary>
/// <param name="Address">The address that is listened on, as text; loopback unless another is asked for.</param>
/// <param name="HostPort">The port here; 0 for any that is free.</param>
/// <param name="PodPort">The port on which a program of the pod listens.</param>
public sealed record PublishedPort(string Address, int HostPort, int PodPort)
{
    /// <summary>
    /// Reads [[ADDRESS:]HOST-PORT:]PORT as docker does, except that an address that is not given is 127.0.0.1: nothing is
    /// opened to a network by leaving something out.
    /// </summary>
    /// <exception cref="OperationFailedException">It is no such text.</exception>
    public static PublishedPort Parse(string text)
    {
        var last = text.LastIndexOf(':');
        var pod = Port(text, text[(last + 1)..], least: 1);
        if (last < 0)
            return new PublishedPort(IPAddress.Loopback.ToString(), 0, pod);
        var rest = text[..last];
        var colon = rest.LastIndexOf(':');
        var host = rest[(colon + 1)..];
        var address = colon < 0 ? IPAddress.Loopback.ToString() : rest[..colon].TrimStart('[').TrimEnd(']');
        return IPAddress.TryParse(address, out var parsed)
            ? new PublishedPort(parsed.ToString(), host.Length == 0 ? 0 : Port(text, host, least: 0), pod)
            : throw Malformed(text, "its address is none");
    }

    private static int Port(string text, string digits, int least) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port >= least && port <= IPEndPoint.MaxPort
            ? port
            : throw Malformed(text, "a port lies between 1 and 65535");

    private static OperationFailedException Malformed(string text, string reason) => new("read port", text, reason, "write it as 8080:80, or 127.0.0.1:8080:80");
}
