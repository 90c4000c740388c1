using System.Net.Sockets;
using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kist.Formats;
using Kist.Shim.Protocol.Forwarding;
using Kist.Ttrpc;

namespace Kist.Shim.Events;

/// <summary>
/// Tells containerd what happens, in order and without loss: an event is sent again until containerd has taken it, however
/// long containerd is away.
/// </summary>
internal sealed class EventPublisher : IAsyncDisposable
{
    private const string Service = "containerd.services.events.ttrpc.v1.Events", Method = "Forward";

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5), Retry = TimeSpan.FromMilliseconds(200), FlushTimeout = TimeSpan.FromSeconds(10);

    private readonly Channel<Envelope> _queue = Channel.CreateUnbounded<Envelope>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly string? _address;
    private readonly ShimArguments _arguments;
    private readonly TimeProvider _time;
    private readonly ShimLog _log;
    private readonly Task _sending;
    private TtrpcClient? _client;

    /// <param name="address">containerd's ttrpc socket (TTRPC_ADDRESS); null to run its binary for every event.</param>
    /// <param name="arguments">The namespace, and how containerd's binary is called.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Told of failures.</param>
    public EventPublisher(string? address, ShimArguments arguments, TimeProvider time, ShimLog log)
    {
        _address = address;
        _arguments = arguments;
        _time = time;
        _log = log;
        _sending = Task.Run(SendAllAsync);
    }

    /// <summary>Queues an event; those queued first arrive first.</summary>
    public void Publish(string topic, IMessage message) => _queue.Writer.TryWrite(new Envelope
    {
        Timestamp = Timestamp.FromDateTimeOffset(_time.GetUtcNow()),
        Namespace = _arguments.Namespace,
        Topic = topic,
        Event = AnyMessage.Of(message),
    });

    /// <summary>Sends what is queued, if that takes no longer than ten seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await Task.WhenAny(_sending, Task.Delay(FlushTimeout, _time)).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_client is not null)
            await _client.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SendAllAsync()
    {
        await foreach (var envelope in _queue.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            for (var said = false; !await TrySendAsync(envelope, !said).ConfigureAwait(false); said = true)
                await Task.Delay(Retry, _time, _stop.Token).ConfigureAwait(false);
        }
    }

    private async Task<bool> TrySendAsync(Envelope envelope, bool sayWhy)
    {
        try
        {
            if (_address is null)
                await RunBinaryAsync(envelope).ConfigureAwait(false);
            else
                await ForwardAsync(envelope).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is OperationFailedException or SocketException or IOException)
        {
            if (sayWhy)
                _log.Error($"publish {envelope.Topic}: {e.Message}");
            if (_client is { } lost)
                await lost.DisposeAsync().ConfigureAwait(false);
            _client = null;
            return false;
        }
    }

    private async Task ForwardAsync(Envelope envelope)
    {
        _client ??= await ConnectAsync(_address!).ConfigureAwait(false);
        await _client.CallAsync(Service, Method, new ForwardRequest { Envelope = envelope }, Empty.Parser, CallTimeout, _stop.Token).ConfigureAwait(false);
    }

    private async Task<TtrpcClient> ConnectAsync(string address)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address), _stop.Token).ConfigureAwait(false);
            return new TtrpcClient(new NetworkStream(socket, ownsSocket: true), "containerd");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>containerd --address A publish --topic T --namespace N, with the event on standard input.</summary>
    private async Task RunBinaryAsync(Envelope envelope)
    {
        var start = new System.Diagnostics.ProcessStartInfo(
            _arguments.PublishBinary,
            ["--address", _arguments.Address, "publish", "--topic", envelope.Topic, "--namespace", envelope.Namespace])
        {
            RedirectStandardInput = true,
        };
        using var process = System.Diagnostics.Process.Start(start)
            ?? throw new OperationFailedException("publish event", _arguments.PublishBinary, "cannot be started");
        await process.StandardInput.BaseStream.WriteAsync(envelope.Event.ToByteArray(), _stop.Token).ConfigureAwait(false);
        process.StandardInput.Close();
        await process.WaitForExitAsync(_stop.Token).WaitAsync(CallTimeout, _stop.Token).ConfigureAwait(false);
        if (process.ExitCode != 0)
            throw new OperationFailedException("publish event", envelope.Topic, $"{_arguments.PublishBinary} ended with {process.ExitCode}");
    }
}
