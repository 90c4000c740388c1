using Kist.Linux;
using Kist.Linux.Network;

namespace Kist.Enclaves.Host;

/// <summary>Serves the connections of a socket of packets, each by a thread of its own, and only so many at a time.</summary>
/// <param name="listener">The socket.</param>
/// <param name="name">A name for the threads.</param>
/// <param name="serve">Serves one connection to its end; a connection that breaks (<see cref="SystemCallException"/>) has ended.</param>
sealed class PacketServer(PacketSocket listener, string name, Action<PacketSocket> serve)
{
    private const int MaxConnections = 32;

    private int _connections;

    public void Start() => new Thread(Accept, 256 << 10) { IsBackground = true, Name = name }.Start();

    private void Accept()
    {
        while (listener.Accept() is { } connection)
        {
            if (Interlocked.Increment(ref _connections) <= MaxConnections)
            {
                new Thread(() => Serve(connection), 1 << 20) { IsBackground = true, Name = name }.Start();
                continue;
            }

            Interlocked.Decrement(ref _connections);
            connection.Dispose();
        }
    }

    private void Serve(PacketSocket connection)
    {
        try
        {
            serve(connection);
        }
        catch (SystemCallException)
        {
            // The peer is gone.
        }
        finally
        {
            connection.Dispose();
            Interlocked.Decrement(ref _connections);
        }
    }
}
