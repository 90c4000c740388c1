using Google.Protobuf;

namespace Kist.Ttrpc;

/// <summary>A service's methods by name: what a <see cref="TtrpcServer"/> dispatches to.</summary>
/// <param name="name">The service's full name, such as "kist.agent.v1.PodAgent".</param>
public sealed class TtrpcService(string name)
{
    private readonly Dictionary<string, Func<ByteString, CancellationToken, Task<IMessage>>> _methods = new(StringComparer.Ordinal);

    /// <summary>The service's full name.</summary>
    public string Name { get; } = name;

    /// <summary>Adds a method. The handler's token is cancelled when the caller's time is up or the connection is lost.</summary>
    public TtrpcService Add<TRequest, TResponse>(
        string method, MessageParser<TRequest> parser, Func<TRequest, CancellationToken, Task<TResponse>> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        _methods.Add(method, async (payload, cancellationToken) =>
        {
            TRequest request;
            try
            {
                request = parser.ParseFrom(payload);
            }
            catch (InvalidProtocolBufferException)
            {
                throw new TtrpcException(TtrpcStatusCode.InvalidArgument, $"the request of {method} is not the protobuf message expected");
            }

            return await handler(request, cancellationToken).ConfigureAwait(false);
        });
        return this;
    }

    internal Func<ByteString, CancellationToken, Task<IMessage>>? Find(string method) => _methods.GetValueOrDefault(method);
}
