using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Kist.Agent.GuestServices;
using Kist.Pods.Protocol;

namespace Kist.Agent.Containers;

/// <summary>
/// The host's connections to programs of the pod, on the loopback interface that its containers share. The guest's own
/// services are no program of the pod.
/// </summary>
sealed class PodConnections
{
    /// <summary>More at a time would be an attack on the guest's memory.</summary>
    private const int Maximum = 128;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Socket> _open = new(StringComparer.Ordinal);

    /// <summary>Connects, by IPv4 first, as a program that listens on "localhost" is found.</summary>
    /// <returns>The connection's identifier.</returns>
    public async Task<string> OpenAsync(uint port, CancellationToken cancellationToken)
    {
        if (port is 0 or > IPEndPoint.MaxPort || port == HttpFront.Port)
            throw Failed(port, FailureCode.InvalidRequest, "it is no port of the pod's programs");
        if (_open.Count >= Maximum)
            throw Failed(port, FailureCode.InvalidRequest, $"there are {Maximum} connections");
        var socket = await ConnectAsync(IPAddress.Loopback, port, cancellationToken)
            ?? await ConnectAsync(IPAddress.IPv6Loopback, port, cancellationToken)
            ?? throw Failed(port, FailureCode.ConnectionRefused, "no program of the pod listens there");
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        _open[id] = socket;
        return id;
    }

    /// <summary>Reads what comes; nothing, and no end, if that takes longer than asked.</summary>
    public async Task<(ReadOnlyMemory<byte> Data, bool End)> ReadAsync(string id, int maximum, TimeSpan wait, CancellationToken cancellationToken)
    {
        var socket = Get(id);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(wait);
        try
        {
            // Waiting takes no memory: an idle connection has no buffer.
            await socket.ReceiveAsync(Memory<byte>.Empty, deadline.Token);
            var buffer = new byte[maximum];
            var count = await socket.ReceiveAsync(buffer, deadline.Token);
            return (buffer.AsMemory(0, count), count == 0);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (default, false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return (default, true);
        }
    }

    public async Task WriteAsync(string id, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var socket = Get(id);
        try
        {
            while (data.Length > 0)
                data = data[await socket.SendAsync(data, cancellationToken)..];
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new AgentException(FailureCode.ConnectionRefused, "write to connection", id, "the program has closed it", null, e);
        }
    }

    public void Close(string id, bool writeOnly)
    {
        try
        {
            if (writeOnly)
                Get(id).Shutdown(SocketShutdown.Send);
            else if (_open.TryRemove(id, out var socket))
                socket.Dispose();
        }
        catch (SocketException)
        {
            // The program has closed it.
        }
    }

    private static async Task<Socket?> ConnectAsync(IPAddress address, uint port, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(ConnectTimeout);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, (int)port, deadline.Token);
            return socket;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    private Socket Get(string id) => _open.GetValueOrDefault(id)
        ?? throw new AgentException(FailureCode.InvalidRequest, "find connection", id.Length <= 32 ? id : "(long)", "there is none of this identifier");

    private static AgentException Failed(uint port, string code, string reason) => new(code, "connect to port", $"{port}", reason);
}
