using System.Net.Sockets;
using Kist.Formats;
using Kist.Ttrpc;

namespace Kist.Agent.GuestServices;

/// <summary>
/// The two Unix sockets of one container. They are mounted into that container alone, so that who connects is known by which
/// socket it is.
/// </summary>
sealed class ContainerSockets : IDisposable
{
    private const int Backlog = 16, MaximumConnections = 32;
    private const UnixFileMode Everybody =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly CancellationTokenSource _closing = new();
    private readonly List<Socket> _listeners = [];

    /// <param name="front">The container's services.</param>
    /// <param name="folder">A folder that the container sees as /run/confidential-containers.</param>
    public ContainerSockets(TtrpcFront front, string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "attestation-agent"));
        Listen(Path.Combine(folder, "cdh.sock"), front.DataHub());
        Listen(Path.Combine(folder, "attestation-agent", "attestation-agent.sock"), front.AttestationAgent());
    }

    public void Dispose()
    {
        _closing.Cancel();
        foreach (var listener in _listeners)
            listener.Dispose();
        _closing.Dispose();
    }

    private void Listen(string path, IReadOnlyCollection<TtrpcService> services)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listeners.Add(listener);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, Everybody);
        listener.Listen(Backlog);
        _ = AcceptAsync(listener, new TtrpcServer([.. services]), _closing.Token);
    }

    private static async Task AcceptAsync(Socket listener, TtrpcServer server, CancellationToken cancellationToken)
    {
        // Not disposed: connections give their places back after the listener's end.
        var free = new SemaphoreSlim(MaximumConnections, MaximumConnections);
        try
        {
            while (true)
            {
                await free.WaitAsync(cancellationToken);
                var peer = await listener.AcceptAsync(cancellationToken);
                _ = ServeAsync(server, peer, free, cancellationToken);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The container is gone.
        }
    }

    private static async Task ServeAsync(TtrpcServer server, Socket peer, SemaphoreSlim free, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = new NetworkStream(peer, ownsSocket: true);
            await server.ServeAsync(stream, cancellationToken);
        }
        catch (Exception e) when (e is MalformedDataException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The peer speaks something else, or has gone.
        }
        finally
        {
            free.Release();
        }
    }
}
