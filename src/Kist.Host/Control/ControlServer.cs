using System.Net.Sockets;
using Kist.Formats;
using Kist.Pods.Agent;

namespace Kist.Host;

/// <summary>Carries on with a connection once its request has been answered.</summary>
internal delegate Task ControlSession(Socket connection, CancellationToken cancellationToken);

/// <summary>Answers other kist processes on the container's socket. Only its owner can reach it: the folder is closed to others.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Func<ControlRequest, CancellationToken, Task<(ControlResponse Response, ControlSession? Session)>> _handle;
    private readonly string _path;
    private readonly Task _accepting;

    /// <param name="socketPath">The socket.</param>
    /// <param name="handle">Answers a request; the session, if any, then has the connection.</param>
    public ControlServer(string socketPath, Func<ControlRequest, CancellationToken, Task<(ControlResponse Response, ControlSession? Session)>> handle)
    {
        _handle = handle;
        _path = socketPath;
        _listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        _listener.Listen(16);
        _accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        File.Delete(_path);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                var connection = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                connections.RemoveAll(c => c.IsCompleted);
                connections.Add(AnswerAsync(connection));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the server is being disposed
        }

        await Task.WhenAll(connections).ConfigureAwait(false);
    }

    private async Task AnswerAsync(Socket connection)
    {
        using (connection)
        {
            try
            {
                var request = await LineProtocol.ReadAsync(connection, ControlJson.Default.ControlRequest, _stop.Token).ConfigureAwait(false);
                if (request is null)
                    return;
                var (response, session) = await HandleAsync(request).ConfigureAwait(false);
                await LineProtocol.WriteAsync(connection, response, ControlJson.Default.ControlResponse, _stop.Token).ConfigureAwait(false);
                if (session is not null)
                    await session(connection, _stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or MalformedDataException or OperationFailedException)
            {
                // a peer that goes away or speaks nonsense harms nobody but itself
            }
        }
    }

    private async Task<(ControlResponse Response, ControlSession? Session)> HandleAsync(ControlRequest request)
    {
        try
        {
            return await _handle(request, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationFailedException e)
        {
            return (new ControlResponse(e.Message) { Hint = e.Hint, Code = (e as AgentCallException)?.Code }, null);
        }
    }
}
