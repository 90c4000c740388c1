using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kist.KeyBroker.Tests;

/// <summary>A collector of OpenTelemetry traces (OTLP over HTTP, protobuf) that decodes what it is sent, field by field.</summary>
sealed class FakeCollector : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    public FakeCollector()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Address = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}");
        }

        _listener.Prefixes.Add(Address.AbsoluteUri);
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public Uri Address { get; }

    public ConcurrentBag<string> Requests { get; } = [];

    public ConcurrentDictionary<string, string> Resource { get; } = [];

    public ConcurrentBag<Span> Spans { get; } = [];

    public void Dispose()
    {
        _listener.Abort();
        _serving.Wait(TimeSpan.FromSeconds(10));
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            Requests.Add($"{context.Request.HttpMethod} {context.Request.Url!.AbsolutePath} {context.Request.ContentType}");
            Read(body.ToArray());
            context.Response.ContentType = "application/x-protobuf";
            context.Response.Close();
        }
    }

    /// <summary>ExportTraceServiceRequest: resource_spans = 1 {resource = 1 {attributes = 1}, scope_spans = 2 {scope = 1 {name = 1}, spans = 2}}.</summary>
    private void Read(byte[] request)
    {
        foreach (var resourceSpans in Messages(request, 1))
        {
            foreach (var attribute in Messages(resourceSpans, 1).SelectMany(r => Messages(r, 1)).Select(Attribute))
                Resource[attribute.Key] = attribute.Value;
            foreach (var scopeSpans in Messages(resourceSpans, 2))
            {
                var scope = Messages(scopeSpans, 1).SelectMany(s => Messages(s, 1)).Select(Encoding.UTF8.GetString).Single();
                foreach (var span in Messages(scopeSpans, 2))
                    Spans.Add(SpanOf(scope, span));
            }
        }
    }

    /// <summary>Span: trace_id = 1, span_id = 2, parent_span_id = 4, name = 5, kind = 6, times = 7 and 8, attributes = 9, status = 15 {message = 2, code = 3}.</summary>
    private static Span SpanOf(string scope, byte[] span) => new(
        scope,
        Convert.ToHexStringLower(Messages(span, 1).Single()),
        Convert.ToHexStringLower(Messages(span, 2).Single()),
        Convert.ToHexStringLower(Messages(span, 4).SingleOrDefault([])),
        Encoding.UTF8.GetString(Messages(span, 5).Single()),
        (int)Fields(span).Single(f => f.Number == 6).Value,
        Fields(span).Single(f => f.Number == 7).Value,
        Fields(span).Single(f => f.Number == 8).Value,
        Messages(span, 9).Select(Attribute).ToDictionary(a => a.Key, a => a.Value),
        (int)Messages(span, 15).SelectMany(Fields).FirstOrDefault(f => f.Number == 3).Value);

    /// <summary>KeyValue: key = 1, value = 2 {string = 1, bool = 2, int = 3}.</summary>
    private static KeyValuePair<string, string> Attribute(byte[] attribute)
    {
        var value = Fields(Messages(attribute, 2).Single()).Single();
        return new(Encoding.UTF8.GetString(Messages(attribute, 1).Single()), value.Number == 1 ? Encoding.UTF8.GetString(value.Bytes) : value.Value.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private static IEnumerable<byte[]> Messages(byte[] message, int field) => Fields(message).Where(f => f.Number == field).Select(f => f.Bytes);

    private static List<(int Number, ulong Value, byte[] Bytes)> Fields(byte[] message)
    {
        var fields = new List<(int, ulong, byte[])>();
        for (var i = 0; i < message.Length;)
        {
            var tag = Varint(message, ref i);
            var (number, wire) = ((int)(tag >> 3), (int)(tag & 7));
            switch (wire)
            {
                case 0:
                    fields.Add((number, Varint(message, ref i), []));
                    break;
                case 1:
                    fields.Add((number, BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(i)), []));
                    i += 8;
                    break;
                case 2:
                    var length = (int)Varint(message, ref i);
                    fields.Add((number, 0, message[i..(i + length)]));
                    i += length;
                    break;
                case 5:
                    fields.Add((number, BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(i)), []));
                    i += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {wire}");
            }
        }

        return fields;
    }

    private static ulong Varint(byte[] message, ref int i)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = message[i++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }
    }

    public sealed record Span(
        string Scope, string Trace, string Id, string Parent, string Name, int Kind, ulong Start, ulong End, Dictionary<string, string> Attributes, int Status);
}
