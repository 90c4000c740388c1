using System.Net.Sockets;

namespace Kist.Host;

/// <summary>The ports of this machine that lead to a pod.</summary>
sealed class OpenPorts : IAsyncDisposable
{
    private readonly List<(PortListener Listener, int PodPort)> _listeners = [];

    /// <summary>What is listened on, as the record says it.</summary>
    public IReadOnlyList<OpenPort> Open => [.. _listeners.Select(l => new OpenPort(l.Listener.Address.ToString(), l.PodPort))];

    /// <param name="published">The ports.</param>
    /// <param name="carry">By port of the pod: carries a connection.</param>
    /// <exception cref="Kist.Formats.OperationFailedException">One is taken; none is open then.</exception>
    public static OpenPorts Start(IReadOnlyList<PublishedPort> published, Func<int, Func<Socket, CancellationToken, Task>> carry)
    {
        var ports = new OpenPorts();
        try
        {
            foreach (var port in published)
                ports._listeners.Add((PortListener.Start(port, carry(port.PodPort)), port.PodPort));
            return ports;
        }
        catch
        {
            // Nobody has connected yet: there is nothing to wait for.
            foreach (var (listener, _) in ports._listeners)
                _ = listener.DisposeAsync().AsTask();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (listener, _) in _listeners)
            await listener.DisposeAsync().ConfigureAwait(false);
    }
}
