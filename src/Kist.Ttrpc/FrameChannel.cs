using System.Buffers;
using Google.Protobuf;
using Kist.Formats;

namespace Kist.Ttrpc;

/// <summary>
/// Reads and writes whole frames on a stream. One reader at a time; any number of writers, whose frames never mix.
/// Owns the stream.
/// </summary>
sealed class FrameChannel(Stream stream) : IAsyncDisposable
{
    private readonly byte[] _header = new byte[FrameHeader.Size];
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>
    /// Reads the next header; null at a clean end of the stream. A stream that ends inside a frame is an
    /// <see cref="EndOfStreamException"/>.
    /// </summary>
    public async ValueTask<FrameHeader?> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        var read = await stream.ReadAtLeastAsync(_header, _header.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (read == 0)
            return null;
        if (read < _header.Length)
            throw new EndOfStreamException("the connection ended inside a frame header");
        return FrameHeader.Parse(_header);
    }

    /// <summary>Reads a message of a length that has been checked, and parses it.</summary>
    public async ValueTask<T> ReadMessageAsync<T>(int length, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await stream.ReadExactlyAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            return parser.ParseFrom(buffer.AsSpan(0, length));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new MalformedDataException("ttrpc message", -1, "is not the protobuf message expected here", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Reads and drops a message that is too long to keep.</summary>
    public async ValueTask SkipAsync(uint length, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            for (long left = length; left > 0;)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                    throw new EndOfStreamException("the connection ended inside a frame");
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>
    /// Writes one frame. The token is obeyed while waiting for a turn; once its first byte is out a frame is finished,
    /// since half a frame would end the connection for every call.
    /// </summary>
    public async ValueTask WriteAsync(uint streamId, FrameType type, IMessage message, CancellationToken cancellationToken)
    {
        var length = message.CalculateSize();
        if (length > FrameHeader.MaximumMessage)
        {
            throw new TtrpcException(
                "send message", type.ToString().ToLowerInvariant(), TtrpcStatusCode.ResourceExhausted,
                $"a message of {length} bytes is longer than the {FrameHeader.MaximumMessage} that ttrpc allows");
        }

        var buffer = ArrayPool<byte>.Shared.Rent(FrameHeader.Size + length);
        try
        {
            new FrameHeader((uint)length, streamId, type, 0).Write(buffer);
            message.WriteTo(buffer.AsSpan(FrameHeader.Size, length));
            await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await stream.WriteAsync(buffer.AsMemory(0, FrameHeader.Size + length), CancellationToken.None).ConfigureAwait(false);
                await stream.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                _writing.Release();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
