using Google.Protobuf;
using Kist.Formats;
using Kist.Ttrpc.Wire;

namespace Kist.Ttrpc;

/// <summary>The answering end of ttrpc connections: runs each call as its own task.</summary>
/// <param name="services">The services offered.</param>
public sealed class TtrpcServer(params IReadOnlyCollection<TtrpcService> services)
{
    /// <summary>Calls that one connection may have open at once; more are answered with ResourceExhausted.</summary>
    public const int MaximumConcurrentCalls = 256;

    private readonly Dictionary<string, TtrpcService> _services = services.ToDictionary(s => s.Name, StringComparer.Ordinal);

    /// <summary>
    /// Told of failures that are defects here (a handler threw something unforeseen); the peer is only told "internal error".
    /// </summary>
    public Action<string, Exception>? OnDefect { get; init; }

    /// <summary>Serves a connection until it ends; owns the stream. A lost connection is a normal end.</summary>
    /// <exception cref="MalformedDataException">The peer did not follow the protocol.</exception>
    public async Task ServeAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        var channel = new FrameChannel(stream);
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var calls = new CallSet();
        try
        {
            uint last = 0;
            while (await channel.ReadHeaderAsync(closing.Token).ConfigureAwait(false) is { } header)
            {
                CheckHeader(header, ref last);
                await AcceptAsync(channel, header, calls, closing.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The connection is gone: nobody is left to tell.
        }
        finally
        {
            await closing.CancelAsync().ConfigureAwait(false);
            await channel.DisposeAsync().ConfigureAwait(false);
            await calls.WhenAllAsync().ConfigureAwait(false);
        }
    }

    private static void CheckHeader(FrameHeader header, ref uint last)
    {
        if (header.Type != FrameType.Request)
            throw new MalformedDataException("ttrpc frame header", 8, $"type {(byte)header.Type} is not expected by a server of unary calls");
        if (header.StreamId % 2 == 0)
            throw new MalformedDataException("ttrpc frame header", 4, $"a client's stream identifier must be odd, not {header.StreamId}");
        if (header.StreamId <= last)
            throw new MalformedDataException("ttrpc frame header", 4, $"stream identifier {header.StreamId} does not follow {last}");
        last = header.StreamId;
    }

    private async Task AcceptAsync(FrameChannel channel, FrameHeader header, CallSet calls, CancellationToken cancellationToken)
    {
        if (header.Length > FrameHeader.MaximumMessage)
        {
            await channel.SkipAsync(header.Length, cancellationToken).ConfigureAwait(false);
            await AnswerAsync(channel, header.StreamId, Failed(TtrpcStatusCode.ResourceExhausted, "the message is longer than ttrpc allows")).ConfigureAwait(false);
            return;
        }

        var request = await channel.ReadMessageAsync((int)header.Length, Request.Parser, cancellationToken).ConfigureAwait(false);
        if ((header.Flags & FrameHeader.RemoteOpen) != 0)
            await AnswerAsync(channel, header.StreamId, Failed(TtrpcStatusCode.Unimplemented, "streaming calls are not offered")).ConfigureAwait(false);
        else if (!calls.TryRun(() => RunAsync(channel, header.StreamId, request, cancellationToken)))
            await AnswerAsync(channel, header.StreamId, Failed(TtrpcStatusCode.ResourceExhausted, "too many calls are open")).ConfigureAwait(false);
    }

    private async Task RunAsync(FrameChannel channel, uint streamId, Request request, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (request.TimeoutNano > 0)
            deadline.CancelAfter(TimeSpan.FromTicks(Math.Min(request.TimeoutNano / 100, TimeSpan.FromDays(30).Ticks)));
        var response = await InvokeAsync(request, deadline.Token, cancellationToken).ConfigureAwait(false);
        try
        {
            await AnswerAsync(channel, streamId, response).ConfigureAwait(false);
        }
        catch (TtrpcException e)
        {
            await AnswerAsync(channel, streamId, Failed(e.Code, e.Reason)).ConfigureAwait(false);
        }
    }

    private async Task<Response> InvokeAsync(Request request, CancellationToken deadline, CancellationToken connection)
    {
        if (!_services.TryGetValue(request.Service, out var service))
            return Failed(TtrpcStatusCode.Unimplemented, $"service {request.Service}");
        if (service.Find(request.Method) is not { } method)
            return Failed(TtrpcStatusCode.Unimplemented, $"method {request.Method} of {request.Service}");
        try
        {
            var payload = await method(request.Payload, deadline).ConfigureAwait(false);
            return new Response { Status = new Status(), Payload = payload.ToByteString() };
        }
        catch (TtrpcException e)
        {
            var response = Failed(e.Code, e.Reason);
            response.Status.Details.Add(e.Details);
            return response;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return connection.IsCancellationRequested
                ? Failed(TtrpcStatusCode.Cancelled, "the connection is closing")
                : Failed(TtrpcStatusCode.DeadlineExceeded, $"{request.Method} took longer than its caller allowed");
        }
#pragma warning disable CA1031 // A defect in one call must not end the connection for the others.
        catch (Exception e)
#pragma warning restore CA1031
        {
            OnDefect?.Invoke($"{request.Service}/{request.Method}", e);
            return Failed(TtrpcStatusCode.Internal, "internal error");
        }
    }

    private static async Task AnswerAsync(FrameChannel channel, uint streamId, Response response)
    {
        try
        {
            await channel.WriteAsync(streamId, FrameType.Response, response, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The caller is gone; the reading side notices and ends the connection.
        }
    }

    private static Response Failed(TtrpcStatusCode code, string message) =>
        new() { Status = new Status { Code = (int)code, Message = message } };
}
