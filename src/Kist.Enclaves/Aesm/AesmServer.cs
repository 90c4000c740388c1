using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Simulation;
using Kist.Formats;

namespace Kist.Enclaves.Aesm;

/// <summary>The simulated platform's side of the quoting protocol.</summary>
public sealed class AesmServer : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);
    private const int MaxConnections = 64;
    private const int PublicKeyIdSize = 32;
    private const int MaxQuoteSize = 16 * 1024;

    private readonly SimulatedProcessor _processor;
    private readonly IQuotingEnclave _quoting;
    private readonly string _path;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _places = new(MaxConnections);

    /// <summary>Listens at <paramref name="path"/>, which must not exist.</summary>
    public AesmServer(SimulatedProcessor processor, IQuotingEnclave quoting, string path)
    {
        _processor = processor;
        _quoting = quoting;
        _path = path;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _ = AcceptAsync();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        File.Delete(_path);
        _stop.Dispose();
        _places.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var stop = _stop.Token;
                await _places.WaitAsync(stop).ConfigureAwait(false);
                _ = ServeAsync(await _listener.AcceptAsync(stop).ConfigureAwait(false), stop);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The server was disposed.
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        try
        {
            using (socket)
            using (var limit = CancellationTokenSource.CreateLinkedTokenSource(stop))
            {
                limit.CancelAfter(s_patience);
                var request = await AesmMessage.ReceiveAsync(socket, limit.Token).ConfigureAwait(false);
                await AesmMessage.SendAsync(socket, Answer(request), limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is MalformedDataException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // A peer that does not speak the protocol gets no answer.
        }
        finally
        {
            Release();
        }
    }

    private void Release()
    {
        try
        {
            _places.Release();
        }
        catch (ObjectDisposedException)
        {
            // The server was disposed meanwhile.
        }
    }

    private byte[] Answer(byte[] message)
    {
        var (field, request) = AesmMessage.Unwrap(message);
        var reply = new ArrayBufferWriter<byte>();
        switch (field)
        {
            case AesmMessage.KeyIdCount:
                ProtobufFields.WriteNumber(reply, AesmMessage.ErrorCode, 0);
                ProtobufFields.WriteNumber(reply, 2, 1);
                break;
            case AesmMessage.KeyIds:
                ProtobufFields.WriteNumber(reply, AesmMessage.ErrorCode, 0);
                ProtobufFields.WriteBytes(reply, 2, KeyId());
                break;
            case AesmMessage.InitQuote:
                ProtobufFields.WriteNumber(reply, AesmMessage.ErrorCode, 0);
                ProtobufFields.WriteBytes(reply, 2, _quoting.Target.Bytes);
                ProtobufFields.WriteNumber(reply, 3, PublicKeyIdSize);
                break;
            case AesmMessage.QuoteSize:
                ProtobufFields.WriteNumber(reply, AesmMessage.ErrorCode, 0);
                ProtobufFields.WriteNumber(reply, 2, MaxQuoteSize);
                break;
            case AesmMessage.Quote:
                WriteQuote(reply, request.GetValueOrDefault(1).Bytes);
                break;
            default:
                return AesmMessage.Wrap(20, []);
        }

        return AesmMessage.Wrap(field, reply.WrittenSpan);
    }

    private void WriteQuote(ArrayBufferWriter<byte> reply, ReadOnlyMemory<byte> bytes)
    {
        var report = Report.Parse(bytes.Span);
        if (!_processor.IsGenuine(report, _quoting.Target))
        {
            ProtobufFields.WriteNumber(reply, AesmMessage.ErrorCode, AesmMessage.ParameterError);
            return;
        }

        ProtobufFields.WriteNumber(reply, AesmMessage.ErrorCode, 0);
        ProtobufFields.WriteBytes(reply, 2, _quoting.Quote(report.Body));
    }

    private static byte[] KeyId()
    {
        var id = new byte[AesmMessage.KeyIdSize];
        BinaryPrimitives.WriteUInt32LittleEndian(id.AsSpan(AesmMessage.AlgorithmOffset), AesmMessage.EcdsaP256);
        return id;
    }
}
