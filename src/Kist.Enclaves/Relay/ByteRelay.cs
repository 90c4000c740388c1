using System.Net;
using System.Net.Sockets;
using Kist.Formats;

namespace Kist.Enclaves.Relay;

/// <summary>
/// A pipe for bytes: what comes in at one address goes out at another, unchanged and unread. TLS passes through it from
/// end to end, so a relay is trusted with nothing but its service.
/// </summary>
public sealed class ByteRelay : IDisposable
{
    private const int MaxConnections = 256;
    private const int BufferSize = 32 * 1024;
    private static readonly TimeSpan s_connectPatience = TimeSpan.FromSeconds(10);

    private readonly Socket _listener;
    private readonly RelayAddress _listen;
    private readonly RelayAddress _to;
    private readonly SemaphoreSlim _places = new(MaxConnections);

    private ByteRelay(Socket listener, RelayAddress listen, RelayAddress to)
    {
        _listener = listener;
        _listen = listen;
        _to = to;
    }

    /// <summary>Where it listens, with the port that was chosen if 0 was asked for.</summary>
    public RelayAddress Address =>
        _listener.LocalEndPoint is IPEndPoint ip ? RelayAddress.Parse($"tcp://{ip}") : _listen;

    /// <summary>Listens; connections are served once <see cref="RunAsync"/> runs.</summary>
    public static ByteRelay Listen(RelayAddress listen, RelayAddress to)
    {
        ArgumentNullException.ThrowIfNull(listen);
        ArgumentNullException.ThrowIfNull(to);
        return new ByteRelay(listen.Listen(), listen, to);
    }

    /// <summary>Serves connections until cancelled.</summary>
    /// <param name="log">Is told why a connection failed.</param>
    /// <param name="cancellationToken">Stops it, and all connections.</param>
    public async Task RunAsync(Action<string> log, CancellationToken cancellationToken)
    {
        while (true)
        {
            await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
            _ = ServeAsync(await _listener.AcceptAsync(cancellationToken).ConfigureAwait(false), log, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        if (_listen.Path is { } path)
            File.Delete(path);
    }

    private async Task ServeAsync(Socket socket, Action<string> log, CancellationToken cancellationToken)
    {
        try
        {
            using var near = new NetworkStream(socket, ownsSocket: true);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_connectPatience);
            using var far = await _to.ConnectAsync(limit.Token).ConfigureAwait(false);
            await Task.WhenAll(PumpAsync(near, far, cancellationToken), PumpAsync(far, near, cancellationToken)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationFailedException or IOException or SocketException or OperationCanceledException)
        {
            log($"connection ended: {e.Message}");
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>One direction. Its end is passed on, so that the other direction can still finish.</summary>
    private static async Task PumpAsync(NetworkStream from, NetworkStream to, CancellationToken cancellationToken)
    {
        await from.CopyToAsync(to, BufferSize, cancellationToken).ConfigureAwait(false);
        to.Socket.Shutdown(SocketShutdown.Send);
    }
}
