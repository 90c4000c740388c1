using System.Net.Sockets;
using Grpc.Net.Client;

namespace Kist.Shim.Tests.Cri;

/// <summary>Speaks Kubernetes' container runtime interface to containerd's plugin, as a kubelet does.</summary>
sealed class CriClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly GrpcChannel _channel;

    public CriClient(string socket)
    {
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, token) =>
                {
                    var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
                    return new NetworkStream(connection, ownsSocket: true);
                },
            },
        });
        Runtime = new RuntimeService.RuntimeServiceClient(_channel);
        Images = new ImageService.ImageServiceClient(_channel);
    }

    public RuntimeService.RuntimeServiceClient Runtime { get; }

    public ImageService.ImageServiceClient Images { get; }

    /// <summary>No call of a test lasts longer.</summary>
    public static DateTime Deadline => TimeProvider.System.GetUtcNow().UtcDateTime + Patience;

    public void Dispose() => _channel.Dispose();
}
