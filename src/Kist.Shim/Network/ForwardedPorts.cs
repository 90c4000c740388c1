using System.Net;
using System.Net.Sockets;
using Kist.Formats;
using Kist.Host;
using Kist.Linux.Network;
using Kist.Pods.Agent;

namespace Kist.Shim.Network;

/// <summary>
/// Ports of a pod's programs, as they are found in its network namespace on the host: whoever forwards ports to a pod (kubectl,
/// by containerd) enters that namespace and connects to localhost. Here listens the shim, and the guest's agent connects to the
/// program, if the pod's policy allows the port. Without an annotation nothing is listened on.
/// </summary>
internal sealed class ForwardedPorts : IAsyncDisposable
{
    /// <summary>The annotation that names the ports: "8080,9090".</summary>
    public const string Annotation = PodPortNames.Annotation;

    private readonly List<PortListener> _listeners = [];

    /// <summary>Listens in a namespace.</summary>
    /// <param name="networkNamespace">The namespace's file.</param>
    /// <param name="ports">The annotation's value; null for none.</param>
    /// <param name="carry">Carries a connection to a port of the pod.</param>
    /// <exception cref="OperationFailedException">The annotation is malformed, or a port is taken.</exception>
    public static ForwardedPorts Open(string networkNamespace, string? ports, Func<int, Socket, CancellationToken, Task> carry)
    {
        var forwarded = new ForwardedPorts();
        foreach (var port in PodPortNames.Read(ports))
        {
            forwarded.Listen(networkNamespace, IPAddress.Loopback, port, carry);
            try
            {
                forwarded.Listen(networkNamespace, IPAddress.IPv6Loopback, port, carry);
            }
            catch (OperationFailedException)
            {
                // A pod without IPv6: clients try both.
            }
        }

        return forwarded;
    }

    /// <summary>Carries a connection to a program of a guest.</summary>
    public static async Task CarryAsync(PodAgentClient agent, int port, Socket connection, CancellationToken cancellationToken)
    {
        var inPod = await PodConnection.OpenAsync(agent, port, cancellationToken).ConfigureAwait(false);
        await using (inPod.ConfigureAwait(false))
        {
            var stream = new NetworkStream(connection, ownsSocket: false);
            await using (stream.ConfigureAwait(false))
                await inPod.CarryAsync(stream, () => connection.Shutdown(SocketShutdown.Send), cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners)
            await listener.DisposeAsync().ConfigureAwait(false);
        _listeners.Clear();
    }

    /// <summary>A socket belongs to the namespace in which it was made, whoever uses it later.</summary>
    private void Listen(string networkNamespace, IPAddress address, int port, Func<int, Socket, CancellationToken, Task> carry) => _listeners.Add(
        NetworkNamespace.Run(networkNamespace, () => PortListener.Start(new PublishedPort(address.ToString(), port, port), (connection, token) => carry(port, connection, token))));
}
