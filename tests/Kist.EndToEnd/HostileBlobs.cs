using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Kist.Oci;

namespace Kist.EndToEnd;

/// <summary>A registry that lies about blobs: documents come from a real one, ranges of blobs from whatever mode was chosen for each.</summary>
sealed class HostileBlobs : IAsyncDisposable
{
    public enum Mode
    {
        Honest,
        OtherBytes,
        Short,
        Endless,
        Redirect,
        OtherRange,
    }

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0), _stray = new(IPAddress.Parse("127.0.0.9"), 0);
    private readonly ConcurrentDictionary<string, Mode> _modes = [];
    private readonly HttpClient _upstream = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving, _watching;
    private int _strayConnections;

    public HostileBlobs(string registry)
    {
        _upstream.BaseAddress = new Uri($"http://{registry}");
        _listener.Start();
        _stray.Start();
        _serving = ServeAsync();
        _watching = WatchAsync();
    }

    public string Authority => _listener.LocalEndpoint.ToString()!;

    /// <summary>How many came to the host that redirects lead to.</summary>
    public int StrayConnections => _strayConnections;

    public void Answer(Digest blob, Mode mode) => _modes[blob.ToString()] = mode;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        _stray.Stop();
        await Task.WhenAll(_serving, _watching);
        _upstream.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It ends.
        }
    }

    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _stray.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _strayConnections);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It ends.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                var path = (await reader.ReadLineAsync(_stop.Token))?.Split(' ')[1] ?? "";
                string? range = null, accept = null;
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
                {
                    if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase))
                        range = line[13..];
                    if (line.StartsWith("Accept: ", StringComparison.OrdinalIgnoreCase))
                        accept = line[8..];
                }

                await AnswerAsync(stream, path, range, accept);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or HttpRequestException)
            {
                // The client has seen enough.
            }
        }
    }

    private async Task AnswerAsync(Stream stream, string path, string? range, string? accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await _upstream.SendAsync(request, _stop.Token);
        var body = await response.Content.ReadAsByteArrayAsync(_stop.Token);
        if (range is null || !_modes.TryGetValue(path[(path.LastIndexOf('/') + 1)..], out var mode))
        {
            await WriteAsync(stream, $"{(int)response.StatusCode} X\r\nContent-Type: {response.Content.Headers.ContentType}", body.Length, body);
            return;
        }

        var bounds = range.Split('-').Select(b => int.Parse(b, CultureInfo.InvariantCulture)).ToArray();
        var piece = body[bounds[0]..(bounds[1] + 1)];
        var head = $"206 X\r\nContent-Range: bytes {bounds[0]}-{bounds[1]}/{body.Length}";
        switch (mode)
        {
            case Mode.OtherBytes:
                piece[0] ^= 1;
                await WriteAsync(stream, head, piece.Length, piece);
                break;
            case Mode.Short:
                await WriteAsync(stream, head, piece.Length, piece[..(piece.Length / 2)]);
                break;
            case Mode.Endless:
                await WriteAsync(stream, head + "\r\nTransfer-Encoding: chunked", null, []);
                while (true)
                    await stream.WriteAsync("10\r\n0123456789abcdef\r\n"u8.ToArray(), _stop.Token);
            case Mode.Redirect:
                await WriteAsync(stream, $"307 X\r\nLocation: http://{_stray.LocalEndpoint}{path}", 0, []);
                break;
            case Mode.OtherRange:
                await WriteAsync(stream, $"206 X\r\nContent-Range: bytes {bounds[0] + 4096}-{bounds[1] + 4096}/{body.Length}", piece.Length, piece);
                break;
            default:
                await WriteAsync(stream, head, piece.Length, piece);
                break;
        }
    }

    private async Task WriteAsync(Stream stream, string head, int? length, byte[] body)
    {
        var lengthHeader = length is { } bytes ? $"\r\nContent-Length: {bytes.ToString(CultureInfo.InvariantCulture)}" : "";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}{lengthHeader}\r\nConnection: close\r\n\r\n"), _stop.Token);
        await stream.WriteAsync(body, _stop.Token);
    }
}
