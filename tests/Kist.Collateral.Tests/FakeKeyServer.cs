using System.Net;
using System.Text;

namespace Kist.Collateral.Tests;

/// <summary>A vendor's server on a loopback port: real HTTP, answers as each test sets them.</summary>
internal sealed class FakeKeyServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _loop;

    public FakeKeyServer()
    {
        var port = FreePort();
        Address = new Uri($"http://127.0.0.1:{port}/");
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _loop = Task.Run(ServeAsync);
    }

    public Uri Address { get; }

    /// <summary>Path and query of every request, in order.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Answers by path and query; what is missing is 404.</summary>
    public Dictionary<string, byte[]> Answers { get; } = [];

    /// <summary>A header by path and query, sent with the answer.</summary>
    public Dictionary<string, (string Name, string Value)> Headers { get; } = [];

    /// <summary>Status codes for the next requests, before answers count again.</summary>
    public Queue<int> Refusals { get; } = new();

    public void Dispose()
    {
        _listener.Stop();
        _loop.Wait(TimeSpan.FromSeconds(5));
        _listener.Close();
    }

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            Requests.Add(context.Request.RawUrl!);
            using var response = context.Response;
            if (Refusals.TryDequeue(out var status))
            {
                response.StatusCode = status;
                response.Headers["Retry-After"] = "0";
            }
            else if (Answers.TryGetValue(context.Request.RawUrl!, out var answer))
            {
                if (Headers.TryGetValue(context.Request.RawUrl!, out var header))
                    response.Headers[header.Name] = header.Value;
                await response.OutputStream.WriteAsync(answer);
            }
            else
            {
                response.StatusCode = 404;
                await response.OutputStream.WriteAsync(Encoding.ASCII.GetBytes("no such thing"));
            }
        }
    }
}
