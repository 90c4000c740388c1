using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// A key provider behind gRPC without TLS: keyprovider.KeyProviderService, methods WrapKey and UnWrapKey. Request and
/// answer are messages with one field of bytes, so the two are framed here by hand rather than by a library.
/// </summary>
public sealed class KeyProviderGrpc(string address) : IKeyProviderTransport
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public async Task<byte[]> CallAsync(bool isWrap, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = s_timeout };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://{address}{PathOf(isWrap)}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(WriteMessage(json.Span)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        try
        {
            using var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            var status = Header(response, "grpc-status");
            if (response.StatusCode != HttpStatusCode.OK || status != "0")
                throw Failure($"it answered {(int)response.StatusCode}, grpc-status {status ?? "missing"}: {Header(response, "grpc-message")}");
            return ReadMessage(body);
        }
        catch (HttpRequestException e)
        {
            throw Failure((e.InnerException ?? e).Message);
        }
    }

    /// <summary>The path of a method.</summary>
    public static string PathOf(bool isWrap) => "/keyprovider.KeyProviderService/" + (isWrap ? "WrapKey" : "UnWrapKey");

    /// <summary>A gRPC frame (flag, length) around a message whose field 1 is these bytes.</summary>
    public static byte[] WriteMessage(ReadOnlySpan<byte> value)
    {
        using var message = new MemoryStream();
        message.Write(new byte[5]);
        message.WriteByte(0x0A);
        for (var length = (uint)value.Length; ; length >>= 7)
        {
            message.WriteByte((byte)(length >= 0x80 ? length & 0x7F | 0x80 : length));
            if (length < 0x80)
                break;
        }

        message.Write(value);
        var frame = message.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 5);
        return frame;
    }

    /// <summary>Reads such a frame.</summary>
    public static byte[] ReadMessage(ReadOnlySpan<byte> frame)
    {
        var cursor = new SpanCursor(frame, "gRPC message");
        if (cursor.ReadByte() != 0)
            throw cursor.Malformed("it is compressed");
        if (cursor.ReadUInt32BigEndian() != cursor.Remaining)
            throw cursor.Malformed("its length is wrong");
        if (cursor.Remaining == 0)
            return [];
        cursor.Expect([0x0A], "tag");
        uint length = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = cursor.ReadByte();
            length |= (uint)(b & 0x7F) << shift;
            if (b < 0x80)
                break;
            if (shift > 21)
                throw cursor.Malformed("its field is too long");
        }

        var value = cursor.ReadBytes((int)length).ToArray();
        cursor.ExpectEnd();
        return value;
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var trailers) ? trailers.First()
        : response.Headers.TryGetValues(name, out var headers) ? headers.First()
        : null;

    private OperationFailedException Failure(string reason) => new("ask key provider", address, reason);
}
