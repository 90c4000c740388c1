using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Kist.KeyBroker.Secrets;

/// <summary>A JSON object that may hold a key: its bytes are zeroed when disposed.</summary>
sealed class SecretJson : IDisposable
{
    // Larger than any request here: a stream that grew would leave copies of the key behind.
    private const int Capacity = 16 * 1024;

    private readonly byte[] _buffer = GC.AllocateArray<byte>(Capacity, pinned: true);
    private int _length;

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    public static SecretJson Write(Action<Utf8JsonWriter> members)
    {
        var json = new SecretJson();
        using var stream = new MemoryStream(json._buffer);
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        json._length = (int)stream.Position;
        return json;
    }

    /// <summary>An object of two members in base64: a key, and what it is for.</summary>
    public static SecretJson Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, string keyName, string contextName)
    {
        var json = new SecretJson();
        using var stream = new MemoryStream(json._buffer);
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteBase64String(keyName, key);
            writer.WriteBase64String(contextName, context);
            writer.WriteEndObject();
        }

        json._length = (int)stream.Position;
        return json;
    }

    /// <summary>The object as a request's content, which must be sent before this is disposed.</summary>
    public ByteArrayContent ToContent(string mediaType) => new(_buffer, 0, _length) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };

    public void Dispose() => CryptographicOperations.ZeroMemory(_buffer);
}
