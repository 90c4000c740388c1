using System.Net;
using System.Net.Sockets;

namespace Kist.EndToEnd;

/// <summary>
/// Stands between a guest and the registry, on the host's side of the guest's door, and changes what passes.
/// </summary>
sealed class HostileRegistry : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _upstream = new();
    private readonly Func<string, byte[], byte[]> _change;
    private readonly Task _serving;

    /// <summary>Starts it.</summary>
    /// <param name="registry">The real registry's authority.</param>
    /// <param name="change">From the path and the body of an answer to what the guest gets.</param>
    public HostileRegistry(string registry, Func<string, byte[], byte[]> change)
    {
        _change = change;
        _upstream.BaseAddress = new Uri($"http://{registry}");
        EndPoint = new IPEndPoint(IPAddress.Loopback, FindFree());

        // Guests name the registry by the address of their door; HttpListener would refuse that Host header under a fixed one.
        _listener.Prefixes.Add($"http://*:{EndPoint.Port}/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public IPEndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        _listener.Close();
        _upstream.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
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

            _ = AnswerAsync(context);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var request = new HttpRequestMessage(new HttpMethod(context.Request.HttpMethod), context.Request.RawUrl);
            if (context.Request.Headers["Accept"] is { } accept)
                request.Headers.TryAddWithoutValidation("Accept", accept);
            using var response = await _upstream.SendAsync(request);
            var body = await response.Content.ReadAsByteArrayAsync();
            if (response.IsSuccessStatusCode && context.Request.HttpMethod == "GET")
                body = _change(context.Request.RawUrl!, body);
            context.Response.StatusCode = (int)response.StatusCode;
            foreach (var name in (string[])["Content-Type", "Docker-Content-Digest"])
            {
                if (response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values))
                    context.Response.Headers[name] = values.First();
            }

            context.Response.ContentLength64 = context.Request.HttpMethod == "HEAD" ? response.Content.Headers.ContentLength ?? 0 : body.Length;
            if (context.Request.HttpMethod != "HEAD")
                await context.Response.OutputStream.WriteAsync(body);
            context.Response.Close();
        }
        catch (Exception e) when (e is IOException or HttpListenerException or HttpRequestException or ObjectDisposedException)
        {
            // the guest hung up: it had seen enough
        }
    }

    private static int FindFree()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
