using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kist.Formats;

namespace Kist.Host;

/// <summary>A JSON line over a Unix socket. Whatever follows the line is left in the socket.</summary>
internal static class LineProtocol
{
    private const int MaxLineBytes = 256 << 10, PieceBytes = 4096;

    /// <summary>Writes one line.</summary>
    public static async Task WriteAsync<T>(Socket socket, T message, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(message, type), (byte)'\n'];
        var sent = 0;
        while (sent < line.Length)
            sent += await socket.SendAsync(line.AsMemory(sent), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads one line. Null if the peer closed before sending a whole one.</summary>
    /// <exception cref="MalformedDataException">The line is too long or is not such a message.</exception>
    public static async Task<T?> ReadAsync<T>(Socket socket, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using var line = new MemoryStream();
        var piece = new byte[PieceBytes];
        while (true)
        {
            if (line.Length > MaxLineBytes)
                throw new MalformedDataException("control message", line.Length, $"it is longer than {MaxLineBytes} bytes");
            var seen = await socket.ReceiveAsync(piece, SocketFlags.Peek, cancellationToken).ConfigureAwait(false);
            if (seen == 0)
                return null;
            var end = piece.AsSpan(0, seen).IndexOf((byte)'\n');
            var take = end < 0 ? seen : end + 1;
            var count = await socket.ReceiveAsync(piece.AsMemory(0, take), cancellationToken).ConfigureAwait(false);
            line.Write(piece, 0, count);
            if (end >= 0 && count == take)
                return Parse(line.GetBuffer().AsSpan(0, (int)line.Length - 1), type);
        }
    }

    private static T Parse<T>(ReadOnlySpan<byte> line, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(line, type) ?? throw new MalformedDataException("control message", 0, "it is null");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException("control message", e.BytePositionInLine ?? 0, "it is not the JSON expected", e);
        }
    }
}
