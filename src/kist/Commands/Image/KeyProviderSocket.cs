using System.Net.Sockets;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Ttrpc;

namespace Kist.Cli.Commands.Image;

/// <summary>Serves a key provider by ttrpc on a Unix socket, which only its owner may open.</summary>
static class KeyProviderSocket
{
    public static async Task RunAsync(KeyProviderService service, string path, CancellationToken cancellationToken)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var server = new TtrpcServer(KeyProviderTtrpc.Offer(service)) { OnDefect = (call, e) => Terminal.Error($"{call}: {e.Message}") };
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen();
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new OperationFailedException("listen", path, e.Message, "is another one running? remove the socket if not", inner: e);
        }

        Terminal.Note($"key provider on unix://{Path.GetFullPath(path)}");
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                var peer = await listener.AcceptAsync(cancellationToken);
                connections.RemoveAll(c => c.IsCompleted);
                connections.Add(ServeAsync(server, peer, cancellationToken));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task ServeAsync(TtrpcServer server, Socket peer, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = new NetworkStream(peer, ownsSocket: true);
            await server.ServeAsync(stream, cancellationToken);
        }
        catch (Exception e) when (e is MalformedDataException or OperationCanceledException)
        {
            // A peer that speaks something else, or the end.
        }
    }
}
