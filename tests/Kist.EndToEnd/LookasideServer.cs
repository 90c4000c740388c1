using System.Net;
using System.Net.Sockets;

namespace Kist.EndToEnd;

/// <summary>Serves a directory of simple signatures.</summary>
sealed class LookasideServer : IDisposable
{
    private readonly HttpListener _listener = new();

    public LookasideServer(string directory)
    {
        EndPoint = new IPEndPoint(IPAddress.Loopback, FindFree());
        _listener.Prefixes.Add($"http://*:{EndPoint.Port}/");
        _listener.Start();
        _ = ServeAsync(directory);
    }

    public IPEndPoint EndPoint { get; }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync(string directory)
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                var file = new FileInfo(Path.Combine(directory, context.Request.Url!.LocalPath.TrimStart('/')));
                context.Response.StatusCode = file.Exists && !file.FullName.Contains("..", StringComparison.Ordinal) ? 200 : 404;
                if (context.Response.StatusCode == 200)
                    await context.Response.OutputStream.WriteAsync(await File.ReadAllBytesAsync(file.FullName));
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // It ends.
        }
    }

    private static int FindFree()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
