using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Kist.KeyBroker.Bench;

/// <summary>Peers that hold connections and never finish: half of them have said nothing, half are within a request.</summary>
sealed class SlowPeers : IDisposable
{
    private readonly List<IDisposable> _held = [];

    public static async Task<SlowPeers> ConnectAsync(int count)
    {
        var peers = new SlowPeers();
        for (var i = 0; i < count; i++)
        {
            var socket = new TcpClient();
            peers._held.Add(socket);
            await socket.ConnectAsync(IPAddress.Loopback, BrokerProcess.Port);
            if (i % 2 == 0)
                continue;
            var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
            peers._held.Add(tls);
            await tls.AuthenticateAsClientAsync("localhost");
            await tls.WriteAsync("POST /kbs/v0/auth HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"u8.ToArray());
        }

        return peers;
    }

    public void Dispose() => _held.ForEach(h => h.Dispose());
}
