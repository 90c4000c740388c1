using System.Net;
using System.Net.Sockets;

namespace Kist.Shim.Tests;

/// <summary>A name server that knows one address for every name (RFC 1035, 4.1), until it is disposed.</summary>
sealed class NameServer : IDisposable
{
    private readonly UdpClient _socket;

    public NameServer(IPAddress address)
    {
        _socket = new UdpClient(new IPEndPoint(address, 53));
        _ = AnswerAsync();
    }

    public void Dispose() => _socket.Dispose();

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var query = await _socket.ReceiveAsync();
                await _socket.SendAsync(Answer(query.Buffer), query.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    /// <summary>The question again, with one record of type A behind it; none for other types.</summary>
    private static byte[] Answer(byte[] query)
    {
        var end = 12;
        while (query[end] != 0)
            end += query[end] + 1;
        var question = query[12..(end + 5)];
        var isAddress = question[^3] == 1;
        return
        [
            query[0], query[1], 0x81, 0x80, 0, 1, 0, (byte)(isAddress ? 1 : 0), 0, 0, 0, 0, .. question,
            .. isAddress ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 77] : Array.Empty<byte>(),
        ];
    }
}
