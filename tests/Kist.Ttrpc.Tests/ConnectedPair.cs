using System.Net.Sockets;

namespace Kist.Ttrpc.Tests;

/// <summary>Two ends of a connected Unix socket.</summary>
sealed class ConnectedPair : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"kist-ttrpc-{Guid.NewGuid():N}.sock");

    public ConnectedPair()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_path));
        listener.Listen(1);
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(_path));
        Client = new NetworkStream(client, ownsSocket: true);
        Server = new NetworkStream(listener.Accept(), ownsSocket: true);
    }

    public NetworkStream Client { get; }

    public NetworkStream Server { get; }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        File.Delete(_path);
    }
}
