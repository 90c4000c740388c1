using Google.Protobuf;
using Kist.Formats;
using Kist.Ttrpc.Wire;

namespace Kist.Ttrpc;

/// <summary>
/// The calling end of a ttrpc connection. Calls may be made from any number of threads; each has its own stream
/// identifier, so a slow call does not hold up another.
/// </summary>
public sealed class TtrpcClient : IAsyncDisposable
{
    private readonly FrameChannel _channel;
    private readonly string _peer;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _ordering = new(1, 1);
    private readonly Dictionary<uint, TaskCompletionSource<Response>> _pending = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _reading;
    private uint _nextStream = 1;
    private Exception? _lost;
    private bool _disposed;

    /// <summary>Starts a client on a connected stream, which it then owns.</summary>
    /// <param name="stream">A duplex stream.</param>
    /// <param name="peer">The peer's name for errors, such as "guest agent".</param>
    public TtrpcClient(Stream stream, string peer)
    {
        _channel = new FrameChannel(stream);
        _peer = peer;
        _reading = Task.Run(ReadLoopAsync);
    }

    /// <summary>Completes, without an error, when the connection has ended for whatever reason.</summary>
    public Task Closed => _reading;

    /// <summary>Calls a method.</summary>
    /// <param name="service">The service's full name, such as "kist.agent.v1.PodAgent".</param>
    /// <param name="method">The method's name.</param>
    /// <param name="request">The request.</param>
    /// <param name="parser">The response's parser.</param>
    /// <param name="timeout">How long to wait; the callee is told. <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.</param>
    /// <param name="cancellationToken">Gives up waiting; ttrpc cannot tell the callee of it.</param>
    /// <exception cref="TtrpcException">The callee answered with an error, time ran out, or the connection was lost.</exception>
    public async Task<TResponse> CallAsync<TResponse>(
        string service, string method, IMessage request, MessageParser<TResponse> parser, TimeSpan timeout,
        CancellationToken cancellationToken = default)
        where TResponse : IMessage<TResponse>
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (timeout != Timeout.InfiniteTimeSpan)
            deadline.CancelAfter(timeout);

        var wire = new Request
        {
            Service = service,
            Method = method,
            Payload = request.ToByteString(),
            TimeoutNano = timeout == Timeout.InfiniteTimeSpan ? 0 : checked((long)timeout.TotalNanoseconds),
        };
        uint stream = 0;
        try
        {
            (stream, var answer) = await SendAsync(wire, deadline.Token).ConfigureAwait(false);
            var response = await answer.WaitAsync(deadline.Token).ConfigureAwait(false);
            return Unwrap(response, service, method, parser);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TtrpcException(
                $"call {method}", _peer, TtrpcStatusCode.DeadlineExceeded, $"no answer within {timeout.TotalSeconds:0.###} s");
        }
        finally
        {
            lock (_lock)
                _pending.Remove(stream);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _closing.CancelAsync().ConfigureAwait(false);
        await _channel.DisposeAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _closing.Dispose();
    }

    /// <summary>Stream identifiers must reach the wire in growing order: numbering and sending are one step.</summary>
    private async Task<(uint Stream, Task<Response> Answer)> SendAsync(Request request, CancellationToken cancellationToken)
    {
        await _ordering.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var source = new TaskCompletionSource<Response>(TaskCreationOptions.RunContinuationsAsynchronously);
            uint stream;
            lock (_lock)
            {
                if (_lost is not null)
                    throw Lost($"call {request.Method}");
                stream = _nextStream;
                _nextStream = checked(_nextStream + 2);
                _pending.Add(stream, source);
            }

            try
            {
                await _channel.WriteAsync(stream, FrameType.Request, request, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                lock (_lock)
                    _pending.Remove(stream);
                if (e is IOException or ObjectDisposedException)
                    throw new TtrpcException($"call {request.Method}", _peer, TtrpcStatusCode.Unavailable, "the connection is lost", inner: e);
                throw;
            }

            return (stream, source.Task);
        }
        finally
        {
            _ordering.Release();
        }
    }

    private TResponse Unwrap<TResponse>(Response response, string service, string method, MessageParser<TResponse> parser)
        where TResponse : IMessage<TResponse>
    {
        if (response.Status is { Code: not 0 } status)
            throw new TtrpcException($"call {method}", _peer, (TtrpcStatusCode)status.Code, status.Message, status.Details);
        try
        {
            return parser.ParseFrom(response.Payload);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new MalformedDataException($"response of {service}/{method}", -1, "is not the protobuf message expected here", e);
        }
    }

    private async Task ReadLoopAsync()
    {
        Exception cause;
        try
        {
            while (await _channel.ReadHeaderAsync(_closing.Token).ConfigureAwait(false) is { } header)
                await ReadFrameAsync(header).ConfigureAwait(false);
            cause = new EndOfStreamException("the peer closed the connection");
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or MalformedDataException)
        {
            cause = e;
        }

        TaskCompletionSource<Response>[] waiting;
        lock (_lock)
        {
            _lost = cause;
            waiting = [.. _pending.Values];
            _pending.Clear();
        }

        foreach (var call in waiting)
            call.TrySetException(Lost("await answer"));
    }

    private async Task ReadFrameAsync(FrameHeader header)
    {
        if (header.Type != FrameType.Response)
            throw new MalformedDataException("ttrpc frame header", 8, $"type {(byte)header.Type} is not expected by a client");
        if (header.Length > FrameHeader.MaximumMessage)
        {
            await _channel.SkipAsync(header.Length, _closing.Token).ConfigureAwait(false);
            Complete(header.StreamId, call => call.TrySetException(new TtrpcException(
                "read response", _peer, TtrpcStatusCode.ResourceExhausted,
                $"a response of {header.Length} bytes is longer than the {FrameHeader.MaximumMessage} that ttrpc allows")));
            return;
        }

        var response = await _channel.ReadMessageAsync((int)header.Length, Response.Parser, _closing.Token).ConfigureAwait(false);
        Complete(header.StreamId, call => call.TrySetResult(response));
    }

    /// <summary>Answers to calls that were given up find nobody waiting; that is not an error.</summary>
    private void Complete(uint stream, Action<TaskCompletionSource<Response>> complete)
    {
        TaskCompletionSource<Response>? call;
        lock (_lock)
            _pending.Remove(stream, out call);
        if (call is not null)
            complete(call);
    }

    private TtrpcException Lost(string step) =>
        new(step, _peer, TtrpcStatusCode.Unavailable, "the connection is lost", inner: _lost);
}
