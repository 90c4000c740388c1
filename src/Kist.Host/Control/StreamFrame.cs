using System.Buffers.Binary;
using System.Net.Sockets;
using Kist.Formats;

namespace Kist.Host;

/// <summary>What a frame carries.</summary>
internal enum StreamFrameKind : byte
{
    /// <summary>To the program's standard input.</summary>
    Input,

    /// <summary>Standard input ends.</summary>
    InputEnd,

    /// <summary>Rows and columns of the caller's terminal, 4 bytes each.</summary>
    Resize,

    /// <summary>From standard output.</summary>
    Stdout,

    /// <summary>From standard error.</summary>
    Stderr,

    /// <summary>The exit code, 4 bytes; the last frame.</summary>
    Exit,

    /// <summary>Why there is no exit code (UTF-8); the last frame.</summary>
    Error,
}

/// <summary>
/// A piece of a process's streams between two kist processes.
/// <code>
/// offset size field
///      0    1 kind
///      1    4 length, big-endian, at most 1 MiB
///      5      data
/// </code>
/// </summary>
internal readonly record struct StreamFrame(StreamFrameKind Kind, ReadOnlyMemory<byte> Data)
{
    private const int HeaderBytes = 5, MaxBytes = 1 << 20;

    /// <summary>Writes one frame. Callers that share a socket take turns.</summary>
    public async Task WriteAsync(Socket socket, CancellationToken cancellationToken)
    {
        for (var (rest, isFirst) = (Data, true); isFirst || rest.Length > 0; isFirst = false)
        {
            var piece = rest[..Math.Min(rest.Length, MaxBytes)];
            rest = rest[piece.Length..];
            var bytes = new byte[HeaderBytes + piece.Length];
            bytes[0] = (byte)Kind;
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), piece.Length);
            piece.CopyTo(bytes.AsMemory(HeaderBytes));
            for (var sent = 0; sent < bytes.Length;)
                sent += await socket.SendAsync(bytes.AsMemory(sent), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads one frame. Null if the peer has closed.</summary>
    /// <exception cref="MalformedDataException">It is no frame.</exception>
    public static async Task<StreamFrame?> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        var header = new byte[HeaderBytes];
        if (!await FillAsync(socket, header, cancellationToken).ConfigureAwait(false))
            return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1));
        if (header[0] > (byte)StreamFrameKind.Error || length is < 0 or > MaxBytes)
            throw new MalformedDataException("stream frame", 0, "it has an unknown kind or a length that none may have");
        var data = new byte[length];
        return await FillAsync(socket, data, cancellationToken).ConfigureAwait(false) ? new StreamFrame((StreamFrameKind)header[0], data) : null;
    }

    /// <summary>A frame of one or two numbers.</summary>
    public static StreamFrame OfNumbers(StreamFrameKind kind, params ReadOnlySpan<int> numbers)
    {
        var data = new byte[numbers.Length * sizeof(int)];
        for (var i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(i * sizeof(int)), numbers[i]);
        return new StreamFrame(kind, data);
    }

    /// <summary>A number of the frame.</summary>
    /// <exception cref="MalformedDataException">It is too short.</exception>
    public int Number(int index) => Data.Length >= (index + 1) * sizeof(int)
        ? BinaryPrimitives.ReadInt32BigEndian(Data.Span[(index * sizeof(int))..])
        : throw new MalformedDataException("stream frame", HeaderBytes, "it is too short");

    private static async Task<bool> FillAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (buffer.Length > 0)
        {
            var count = await socket.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0)
                return false;
            buffer = buffer[count..];
        }

        return true;
    }
}
