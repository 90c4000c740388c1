using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Kist.Formats;

namespace Kist.Enclaves.Aesm;

/// <summary>
/// The protocol of Intel's architectural enclave service: one request and one reply a connection, each a 32-bit
/// little-endian length and a protobuf message with one field, whose number says what it is (linux-sgx,
/// psw/ae/aesm_service/source/core/ipc/messages.proto). Fields inside:
/// <code>
/// 15 InitQuoteEx           1 att_key_id   3 b_pub_key_id   4 buf_size   9 timeout    reply 1 errorCode   2 target_info   3 pub_key_id_size   4 pub_key_id
/// 16 GetQuoteSizeEx        1 att_key_id   9 timeout                                  reply 1 errorCode   2 quote_size
/// 17 GetQuoteEx            1 report   2 att_key_id   3 qe_report_info   4 buf_size   9 timeout    reply 1 errorCode   2 quote   3 qe_report_info
/// 21 SupportedAttKeyIdNum  9 timeout                                                 reply 1 errorCode   2 att_key_id_num
/// 22 SupportedAttKeyIds    1 buf_size   9 timeout                                    reply 1 errorCode   2 att_key_ids
/// </code>
/// </summary>
static class AesmMessage
{
    public const int InitQuote = 15;
    public const int QuoteSize = 16;
    public const int Quote = 17;
    public const int KeyIdCount = 21;
    public const int KeyIds = 22;

    public const int ErrorCode = 1;
    public const int Timeout = 9;

    /// <summary>Bytes of an attestation key's identity.</summary>
    public const int KeyIdSize = 256;

    /// <summary>Offset in an identity of the algorithm: 2 is ECDSA on P-256.</summary>
    public const int AlgorithmOffset = 154;

    /// <summary>The algorithm ECDSA on P-256.</summary>
    public const uint EcdsaP256 = 2;

    /// <summary>AESM_PARAMETER_ERROR.</summary>
    public const uint ParameterError = 2;

    /// <summary>Largest message.</summary>
    public const int MaxSize = 1 << 20;

    private const string Name = "AESM message";

    /// <summary>A message with one field that holds a message.</summary>
    public static byte[] Wrap(int field, ReadOnlySpan<byte> body)
    {
        var output = new ArrayBufferWriter<byte>();
        ProtobufFields.WriteBytes(output, field, body);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The one field of a message, and the fields in it.</summary>
    public static (int Field, Dictionary<int, ProtobufValue> Body) Unwrap(ReadOnlyMemory<byte> message)
    {
        var outer = ProtobufFields.Read(message, Name);
        if (outer.Count != 1)
            throw new MalformedDataException(Name, -1, $"{outer.Count} fields where one is expected");
        var (field, value) = outer.Single();
        return (field, ProtobufFields.Read(value.Bytes, Name));
    }

    public static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var frame = new byte[4 + message.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, message.Length);
        message.CopyTo(frame.AsMemory(4));
        for (var sent = 0; sent < frame.Length;)
            sent += await socket.SendAsync(frame.AsMemory(sent), cancellationToken).ConfigureAwait(false);
    }

    public static async Task<byte[]> ReceiveAsync(Socket socket, CancellationToken cancellationToken)
    {
        var header = new byte[4];
        await FillAsync(socket, header, cancellationToken).ConfigureAwait(false);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (length > MaxSize)
            throw new MalformedDataException(Name, 0, $"{length} bytes are more than the limit of {MaxSize}");
        var message = new byte[length];
        await FillAsync(socket, message, cancellationToken).ConfigureAwait(false);
        return message;
    }

    private static async Task FillAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            var read = await socket.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (read == 0)
                throw new MalformedDataException(Name, -1, "the connection ended in the middle");
            buffer = buffer[read..];
        }
    }
}
