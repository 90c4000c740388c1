using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kist.Oci.Tests;

/// <summary>A registry that answers as a test tells it, byte for byte, on a loopback port. One request a connection.</summary>
sealed class HostileRegistry : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Request, NetworkStream, Task> _answer;
    private readonly Task _loop;

    public HostileRegistry(Func<Request, NetworkStream, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _loop = AcceptAsync();
    }

    public string Host => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public List<Request> Requests { get; } = [];

    public static Task WriteAsync(NetworkStream stream, string head, byte[]? body = null) =>
        stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n"), .. body ?? []]).AsTask();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var stream = client.GetStream();
                var request = await ReadAsync(stream);
                lock (Requests)
                    Requests.Add(request);
                await _answer(request, stream).WaitAsync(_stop.Token);
                client.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // The client hung up, which is what many tests want.
            }
        }
    }

    private static async Task<Request> ReadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(buffer) == 1)
            text.Append((char)buffer[0]);
        var lines = text.ToString().Split("\r\n");
        var first = lines[0].Split(' ');
        var headers = lines.Skip(1).Where(l => l.Contains(':', StringComparison.Ordinal))
            .ToDictionary(l => l[..l.IndexOf(':', StringComparison.Ordinal)], l => l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim(), StringComparer.OrdinalIgnoreCase);
        return new Request(first[0], first.Length > 1 ? first[1] : "", headers);
    }

    public sealed record Request(string Method, string Path, IReadOnlyDictionary<string, string> Headers);
}
