using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kist.Formats;
using Kist.Ttrpc;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// A key provider behind ttrpc on a Unix socket, as Confidential Containers' data hub is: the service and methods of the gRPC
/// one. Request and answer are messages of one field of bytes with number 1, which is what BytesValue is on the wire.
/// </summary>
/// <param name="address">unix://PATH, or PATH.</param>
public sealed class KeyProviderTtrpc(string address) : IKeyProviderTransport
{
    private const string Service = "keyprovider.KeyProviderService", Wrap = "WrapKey", Unwrap = "UnWrapKey";
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public async Task<byte[]> CallAsync(bool isWrap, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        var client = new TtrpcClient(await ConnectAsync(cancellationToken).ConfigureAwait(false), "key provider");
        await using (client.ConfigureAwait(false))
        {
            var request = new BytesValue { Value = ByteString.CopyFrom(json.Span) };
            var answer = await client.CallAsync(Service, isWrap ? Wrap : Unwrap, request, BytesValue.Parser, s_timeout, cancellationToken).ConfigureAwait(false);
            return answer.Value.ToByteArray();
        }
    }

    /// <summary>The other end: what a ttrpc server offers.</summary>
    public static TtrpcService Offer(KeyProviderService provider)
    {
        async Task<BytesValue> AnswerAsync(BytesValue request, CancellationToken cancellationToken)
        {
            try
            {
                return new BytesValue { Value = ByteString.CopyFrom(await provider.HandleAsync(request.Value.ToByteArray(), cancellationToken).ConfigureAwait(false)) };
            }
            catch (Exception e) when (e is MalformedDataException or OperationFailedException)
            {
                throw new TtrpcException(TtrpcStatusCode.InvalidArgument, e.Message);
            }
        }

        return new TtrpcService(Service).Add(Wrap, BytesValue.Parser, AnswerAsync).Add(Unwrap, BytesValue.Parser, AnswerAsync);
    }

    private async Task<NetworkStream> ConnectAsync(CancellationToken cancellationToken)
    {
        var path = address.StartsWith("unix://", StringComparison.Ordinal) ? address[7..] : address;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new OperationFailedException("ask key provider", address, e.Message, isTransient: e is SocketException, inner: e);
        }
    }
}
