using System.Net;
using System.Net.Sockets;
using Kist.Formats;

namespace Kist.Host;

/// <summary>Listens on a port of this machine and carries each connection to a program of the pod.</summary>
public sealed class PortListener : IAsyncDisposable
{
    /// <summary>Connections at a time; the guest has its own limit.</summary>
    private const int MaximumConnections = 64;

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener;
    private readonly Func<Socket, CancellationToken, Task> _carry;
    private readonly SemaphoreSlim _free = new(MaximumConnections);
    private readonly Task _accepting;

    private PortListener(Socket listener, Func<Socket, CancellationToken, Task> carry)
    {
        (_listener, _carry) = (listener, carry);
        _accepting = AcceptAsync();
    }

    /// <summary>What is listened on.</summary>
    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Starts to listen.</summary>
    /// <param name="port">Where, and for which port of the pod.</param>
    /// <param name="carry">Carries one connection to its end; it may fail.</param>
    /// <exception cref="OperationFailedException">The port is taken, or may not be listened on.</exception>
    public static PortListener Start(PublishedPort port, Func<Socket, CancellationToken, Task> carry)
    {
        var address = new IPEndPoint(IPAddress.Parse(port.Address), port.HostPort);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            socket.Listen(MaximumConnections);
            return new PortListener(socket, carry);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new OperationFailedException("listen", address.ToString(), e.Message, "choose another port: -p 0:PORT takes one that is free", inner: e);
        }
    }

    /// <summary>Carries a connection through a pod.</summary>
    public static async Task CarryAsync(IPod pod, int port, Socket connection, CancellationToken cancellationToken)
    {
        var inPod = await pod.ConnectAsync(port, cancellationToken).ConfigureAwait(false);
        await using (inPod.ConfigureAwait(false))
        {
            var stream = new NetworkStream(connection, ownsSocket: false);
            await using (stream.ConfigureAwait(false))
                await inPod.CarryAsync(stream, () => connection.Shutdown(SocketShutdown.Send), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _free.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                await _free.WaitAsync(_stop.Token).ConfigureAwait(false);
                var connection = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                connections.RemoveAll(c => c.IsCompleted);
                connections.Add(CarryAsync(connection));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // nobody listens any more
        }

        await Task.WhenAll(connections).ConfigureAwait(false);
    }

    private async Task CarryAsync(Socket connection)
    {
        try
        {
            using (connection)
                await _carry(connection, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationFailedException or IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The caller sees a connection that ends, as from a port on which nothing listens.
        }
        finally
        {
            _free.Release();
        }
    }
}
