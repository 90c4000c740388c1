using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kist.Formats;

namespace Kist.Host;

/// <summary>JSON lines over a Unix socket, a few hundred bytes each.</summary>
internal static class LineProtocol
{
    private const int MaxLineBytes = 4096;

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
        var buffer = new byte[MaxLineBytes];
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
                throw new MalformedDataException("control message", length, $"it is longer than {MaxLineBytes} bytes");
            var count = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (count == 0)
                return null;
            length += count;
            if (buffer.AsSpan(0, length).IndexOf((byte)'\n') is var end and >= 0)
                return Parse(buffer.AsSpan(0, end), type);
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
