using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Aesm;

/// <summary>Asks Intel's architectural enclave service (or the simulated platform, which speaks the same) for quotes.</summary>
/// <param name="socketPath">Its socket: /var/run/aesmd/aesm.socket on machines with SGX.</param>
/// <param name="patience">How long one request may take.</param>
public sealed class AesmClient(string socketPath, TimeSpan patience)
{
    /// <summary>Where the service listens on machines with SGX.</summary>
    public const string DefaultSocket = "/var/run/aesmd/aesm.socket";

    private const int MaxKeyIds = 64;

    private byte[]? _keyId;

    /// <summary>Whom a report must be made for to be quoted: the quoting enclave.</summary>
    /// <exception cref="OperationFailedException">The service cannot be reached, or refuses.</exception>
    public async Task<TargetInfo> InitQuoteAsync(CancellationToken cancellationToken)
    {
        var keyId = await KeyIdAsync(cancellationToken).ConfigureAwait(false);
        var size = await CallAsync(AesmMessage.InitQuote, "initialise quoting", Body(keyId, withKey: false, 0), cancellationToken).ConfigureAwait(false);
        var reply = await CallAsync(
            AesmMessage.InitQuote, "initialise quoting", Body(keyId, withKey: true, size.GetValueOrDefault(3).Number), cancellationToken).ConfigureAwait(false);
        return TargetInfo.Parse(reply.GetValueOrDefault(2).Bytes.Span);
    }

    /// <summary>Has a report quoted: DCAP, version 3, ECDSA on P-256.</summary>
    /// <param name="report">A report made for the quoting enclave.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<byte[]> QuoteAsync(Report report, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(report);
        var keyId = await KeyIdAsync(cancellationToken).ConfigureAwait(false);
        var sizeRequest = new ArrayBufferWriter<byte>();
        ProtobufFields.WriteBytes(sizeRequest, 1, keyId);
        AddTimeout(sizeRequest);
        var size = await CallAsync(AesmMessage.QuoteSize, "ask for size of quote", sizeRequest, cancellationToken).ConfigureAwait(false);

        var request = new ArrayBufferWriter<byte>();
        ProtobufFields.WriteBytes(request, 1, report.Bytes);
        ProtobufFields.WriteBytes(request, 2, keyId);
        ProtobufFields.WriteNumber(request, 4, size.GetValueOrDefault(2).Number);
        AddTimeout(request);
        var reply = await CallAsync(AesmMessage.Quote, "quote", request, cancellationToken).ConfigureAwait(false);
        var quote = reply.GetValueOrDefault(2).Bytes;
        return quote.IsEmpty ? throw new OperationFailedException("quote", socketPath, "the service returned no quote") : quote.ToArray();
    }

    private async Task<byte[]> KeyIdAsync(CancellationToken cancellationToken)
    {
        if (_keyId is not null)
            return _keyId;
        var count = await CallAsync(AesmMessage.KeyIdCount, "count attestation keys", WithTimeout(), cancellationToken).ConfigureAwait(false);
        var number = count.GetValueOrDefault(2).Number;
        if (number is 0 or > MaxKeyIds)
            throw new OperationFailedException("count attestation keys", socketPath, $"the service has {number}");
        var request = new ArrayBufferWriter<byte>();
        ProtobufFields.WriteNumber(request, 1, number * AesmMessage.KeyIdSize);
        AddTimeout(request);
        var reply = await CallAsync(AesmMessage.KeyIds, "list attestation keys", request, cancellationToken).ConfigureAwait(false);
        var ids = reply.GetValueOrDefault(2).Bytes;
        for (var at = 0; at + AesmMessage.KeyIdSize <= ids.Length; at += AesmMessage.KeyIdSize)
        {
            var id = ids.Slice(at, AesmMessage.KeyIdSize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(id.Span[AesmMessage.AlgorithmOffset..]) == AesmMessage.EcdsaP256)
                return _keyId = id.ToArray();
        }

        throw new OperationFailedException("list attestation keys", socketPath, "none is for ECDSA on P-256", "configure the service for DCAP");
    }

    private ArrayBufferWriter<byte> Body(byte[] keyId, bool withKey, ulong size)
    {
        var request = new ArrayBufferWriter<byte>();
        ProtobufFields.WriteBytes(request, 1, keyId);
        ProtobufFields.WriteNumber(request, 3, withKey ? 1u : 0);
        if (withKey)
            ProtobufFields.WriteNumber(request, 4, size);
        AddTimeout(request);
        return request;
    }

    private ArrayBufferWriter<byte> WithTimeout()
    {
        var request = new ArrayBufferWriter<byte>();
        AddTimeout(request);
        return request;
    }

    private void AddTimeout(ArrayBufferWriter<byte> request) =>
        ProtobufFields.WriteNumber(request, AesmMessage.Timeout, (ulong)patience.TotalMilliseconds);

    private async Task<Dictionary<int, ProtobufValue>> CallAsync(
        int field, string step, ArrayBufferWriter<byte> body, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), limit.Token).ConfigureAwait(false);
            await AesmMessage.SendAsync(socket, AesmMessage.Wrap(field, body.WrittenSpan), limit.Token).ConfigureAwait(false);
            var (answered, reply) = AesmMessage.Unwrap(await AesmMessage.ReceiveAsync(socket, limit.Token).ConfigureAwait(false));
            if (answered != field)
                throw new OperationFailedException(step, socketPath, "the service does not know this request", "install a version with DCAP quoting");
            var error = reply.GetValueOrDefault(AesmMessage.ErrorCode).Number;
            return error == 0 ? reply : throw new OperationFailedException(step, socketPath, $"the service refused with error {error}");
        }
        catch (SocketException e)
        {
            throw new OperationFailedException(step, socketPath, "the service cannot be reached", "start aesmd, or the simulated platform", isTransient: true, inner: e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OperationFailedException(step, socketPath, $"no answer within {patience.TotalSeconds:0} s", isTransient: true, inner: e);
        }
    }
}
