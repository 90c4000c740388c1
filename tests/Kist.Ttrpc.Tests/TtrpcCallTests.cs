using System.Buffers.Binary;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kist.Formats;
using Kist.Ttrpc.Wire;

namespace Kist.Ttrpc.Tests;

public class TtrpcCallTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Call_Echo_ReturnsThePayload()
    {
        using var pair = new ConnectedPair();
        var serving = Serve(pair, Echo());
        await using var client = new TtrpcClient(pair.Client, "test");

        var answer = await CallEcho(client, "hello");

        Assert.Equal("hello", answer.Value);
        await client.DisposeAsync();
        await serving;
    }

    [Fact]
    public async Task Call_ManyAtOnce_EachGetsItsOwnAnswer()
    {
        using var pair = new ConnectedPair();
        var serving = Serve(pair, Echo());
        await using var client = new TtrpcClient(pair.Client, "test");

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => CallEcho(client, $"call {i}"))));

        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"call {i}"), answers.Select(a => a.Value));
    }

    [Fact]
    public async Task Call_SlowMethod_DoesNotHoldUpAnother()
    {
        using var pair = new ConnectedPair();
        var release = new TaskCompletionSource();
        var service = Echo().Add("Slow", Empty.Parser, async (_, ct) =>
        {
            await release.Task.WaitAsync(ct);
            return new Empty();
        });
        var serving = Serve(pair, service);
        await using var client = new TtrpcClient(pair.Client, "test");

        var slow = client.CallAsync("test.Echo", "Slow", new Empty(), Empty.Parser, Patience, Token);
        Assert.Equal("quick", (await CallEcho(client, "quick")).Value);
        Assert.False(slow.IsCompleted);
        release.SetResult();
        await slow;
    }

    [Fact]
    public async Task Call_DeadlinePasses_CallerAndHandlerAreTold()
    {
        using var pair = new ConnectedPair();
        var cancelled = new TaskCompletionSource();
        var service = Echo().Add("Never", Empty.Parser, async (Empty _, CancellationToken ct) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, ct);
            }
            finally
            {
                cancelled.SetResult();
            }

            return new Empty();
        });
        var serving = Serve(pair, service);
        await using var client = new TtrpcClient(pair.Client, "test");

        var error = await Assert.ThrowsAsync<TtrpcException>(
            () => client.CallAsync("test.Echo", "Never", new Empty(), Empty.Parser, TimeSpan.FromMilliseconds(50), Token));

        Assert.Equal(TtrpcStatusCode.DeadlineExceeded, error.Code);
        await cancelled.Task.WaitAsync(Patience, Token);
        Assert.Equal("still alive", (await CallEcho(client, "still alive")).Value);
    }

    [Fact]
    public async Task Call_HandlerThrowsStatus_CallerGetsCodeMessageAndDetails()
    {
        using var pair = new ConnectedPair();
        var service = new TtrpcService("test.Echo").Add("Deny", Empty.Parser, (Empty _, CancellationToken _) =>
            Task.FromException<Empty>(new TtrpcException(
                TtrpcStatusCode.PermissionDenied, "the policy says no", Any.Pack(new StringValue { Value = "why" }))));
        var serving = Serve(pair, service);
        await using var client = new TtrpcClient(pair.Client, "guest agent");

        var error = await Assert.ThrowsAsync<TtrpcException>(
            () => client.CallAsync("test.Echo", "Deny", new Empty(), Empty.Parser, Patience, Token));

        Assert.Equal(TtrpcStatusCode.PermissionDenied, error.Code);
        Assert.Equal("call Deny: guest agent: the policy says no", error.Message);
        Assert.Equal("why", Assert.Single(error.Details).Unpack<StringValue>().Value);
    }

    [Fact]
    public async Task Call_HandlerHasADefect_PeerLearnsNothingOfIt()
    {
        using var pair = new ConnectedPair();
        Exception? seen = null;
        var service = new TtrpcService("test.Echo").Add("Break", Empty.Parser, (Empty _, CancellationToken _) =>
            Task.FromException<Empty>(new InvalidOperationException("secret detail")));
        var serving = new TtrpcServer(service) { OnDefect = (_, e) => seen = e }.ServeAsync(pair.Server, Token);
        await using var client = new TtrpcClient(pair.Client, "test");

        var error = await Assert.ThrowsAsync<TtrpcException>(
            () => client.CallAsync("test.Echo", "Break", new Empty(), Empty.Parser, Patience, Token));

        Assert.Equal(TtrpcStatusCode.Internal, error.Code);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.Equal("secret detail", seen?.Message);
    }

    [Theory]
    [InlineData("test.Nothing", "Echo")]
    [InlineData("test.Echo", "Nothing")]
    public async Task Call_UnknownServiceOrMethod_IsUnimplemented(string service, string method)
    {
        using var pair = new ConnectedPair();
        var serving = Serve(pair, Echo());
        await using var client = new TtrpcClient(pair.Client, "test");

        var error = await Assert.ThrowsAsync<TtrpcException>(
            () => client.CallAsync(service, method, new Empty(), Empty.Parser, Patience, Token));

        Assert.Equal(TtrpcStatusCode.Unimplemented, error.Code);
    }

    [Fact]
    public async Task Call_ServerDies_EveryPendingCallFailsAsUnavailable()
    {
        using var pair = new ConnectedPair();
        await using var client = new TtrpcClient(pair.Client, "test");
        var calls = Enumerable.Range(0, 5).Select(_ => CallEcho(client, "x")).ToArray();

        await pair.Server.DisposeAsync();

        foreach (var call in calls)
        {
            var error = await Assert.ThrowsAsync<TtrpcException>(() => call);
            Assert.Equal(TtrpcStatusCode.Unavailable, error.Code);
            Assert.IsAssignableFrom<OperationFailedException>(error);
        }

        await client.Closed.WaitAsync(Patience, Token);
        var later = await Assert.ThrowsAsync<TtrpcException>(() => CallEcho(client, "late"));
        Assert.Equal(TtrpcStatusCode.Unavailable, later.Code);
    }

    [Fact]
    public async Task Call_CallerCancels_ConnectionLivesOn()
    {
        using var pair = new ConnectedPair();
        var service = Echo().Add("Never", Empty.Parser, async (Empty _, CancellationToken ct) =>
        {
            await Task.Delay(Timeout.Infinite, ct);
            return new Empty();
        });
        var serving = Serve(pair, service);
        await using var client = new TtrpcClient(pair.Client, "test");
        using var cancel = new CancellationTokenSource();

        var call = client.CallAsync("test.Echo", "Never", new Empty(), Empty.Parser, Timeout.InfiniteTimeSpan, cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal("on", (await CallEcho(client, "on")).Value);
    }

    [Fact]
    public async Task Call_MessageAboveTheLimit_IsRefusedOnBothEnds()
    {
        using var pair = new ConnectedPair();
        var service = Echo().Add("Huge", Empty.Parser, (Empty _, CancellationToken _) =>
            Task.FromResult(new StringValue { Value = new string('x', 5 << 20) }));
        var serving = Serve(pair, service);
        await using var client = new TtrpcClient(pair.Client, "test");

        var sent = await Assert.ThrowsAsync<TtrpcException>(() => CallEcho(client, new string('x', 5 << 20)));
        var received = await Assert.ThrowsAsync<TtrpcException>(
            () => client.CallAsync("test.Echo", "Huge", new Empty(), StringValue.Parser, Patience, Token));

        Assert.Equal(TtrpcStatusCode.ResourceExhausted, sent.Code);
        Assert.Equal(TtrpcStatusCode.ResourceExhausted, received.Code);
        Assert.Equal("fine", (await CallEcho(client, "fine")).Value);
    }

    [Fact]
    public async Task Serve_RequestLongerThanTheLimit_IsSkippedAndAnswered()
    {
        using var pair = new ConnectedPair();
        var serving = Serve(pair, Echo());
        var frame = new byte[FrameHeader.Size + FrameHeader.MaximumMessage + 1];
        new FrameHeader(FrameHeader.MaximumMessage + 1, 1, FrameType.Request, 0).Write(frame);
        await pair.Client.WriteAsync(frame, Token);

        var (header, response) = await ReadResponse(pair.Client);

        Assert.Equal(1u, header.StreamId);
        Assert.Equal((int)TtrpcStatusCode.ResourceExhausted, response.Status.Code);
    }

    [Theory]
    [InlineData(2u, 1)] // an even stream identifier
    [InlineData(0u, 1)]
    [InlineData(1u, 2)] // a response to a server
    [InlineData(1u, 3)]
    public async Task Serve_HeaderAgainstTheProtocol_EndsTheConnection(uint stream, byte type)
    {
        using var pair = new ConnectedPair();
        var serving = Serve(pair, Echo());
        var frame = new byte[FrameHeader.Size];
        new FrameHeader(0, stream, (FrameType)type, 0).Write(frame);
        await pair.Client.WriteAsync(frame, Token);

        await Assert.ThrowsAsync<MalformedDataException>(() => serving);
    }

    [Fact]
    public async Task Serve_StreamIdentifierRepeats_EndsTheConnection()
    {
        using var pair = new ConnectedPair();
        var serving = Serve(pair, Echo());
        var request = new Request { Service = "test.Echo", Method = "Echo" }.ToByteArray();
        var frame = new byte[FrameHeader.Size + request.Length];
        new FrameHeader((uint)request.Length, 5, FrameType.Request, 0).Write(frame);
        request.CopyTo(frame, FrameHeader.Size);
        await pair.Client.WriteAsync(frame, Token);
        await pair.Client.WriteAsync(frame, Token);

        await Assert.ThrowsAsync<MalformedDataException>(() => serving);
    }

    [Fact]
    public async Task Serve_FrameCutAtEveryLength_NeverHangsAndNeverAnswers()
    {
        var request = new Request { Service = "test.Echo", Method = "Echo", Payload = new StringValue { Value = "x" }.ToByteString() }.ToByteArray();
        var frame = new byte[FrameHeader.Size + request.Length];
        new FrameHeader((uint)request.Length, 1, FrameType.Request, 0).Write(frame);
        request.CopyTo(frame, FrameHeader.Size);
        for (var length = 0; length < frame.Length; length++)
        {
            using var pair = new ConnectedPair();
            var serving = Serve(pair, Echo());
            await pair.Client.WriteAsync(frame.AsMemory(0, length), Token);
            pair.Client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);

            await serving.WaitAsync(Patience, Token);
            Assert.Equal(0, await pair.Client.ReadAsync(new byte[16], Token));
        }
    }

    private static TtrpcService Echo() =>
        new TtrpcService("test.Echo").Add("Echo", StringValue.Parser, (request, _) => Task.FromResult(request));

    private static Task Serve(ConnectedPair pair, TtrpcService service) => new TtrpcServer(service).ServeAsync(pair.Server, Token);

    private static Task<StringValue> CallEcho(TtrpcClient client, string value) =>
        client.CallAsync("test.Echo", "Echo", new StringValue { Value = value }, StringValue.Parser, Patience, Token);

    private static async Task<(FrameHeader Header, Response Response)> ReadResponse(Stream stream)
    {
        var header = new byte[FrameHeader.Size];
        await stream.ReadExactlyAsync(header, Token);
        var body = new byte[BinaryPrimitives.ReadUInt32BigEndian(header)];
        await stream.ReadExactlyAsync(body, Token);
        return (FrameHeader.Parse(header), Response.Parser.ParseFrom(body));
    }
}
