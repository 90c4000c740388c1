using System.Net.Sockets;

namespace Kist.Host;

/// <summary>
/// The hosts that an owner's registry client has been sent to: a registry's own, and those that issue its tokens or keep its
/// blobs. The guest, which goes the same way, needs a door for each.
/// </summary>
sealed class RegistryContacts
{
    private readonly Lock _lock = new();
    private readonly List<(string Host, int Port)> _hosts = [];

    /// <summary>In the order in which they were asked, each once.</summary>
    public IReadOnlyList<(string Host, int Port)> Hosts
    {
        get
        {
            lock (_lock)
                return [.. _hosts];
        }
    }

    /// <summary>Connects, and remembers.</summary>
    public async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_hosts.Contains((host, port)))
                _hosts.Add((host, port));
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
