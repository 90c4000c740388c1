using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Kist.KeyBroker.Tests;

/// <summary>Sends requests as the bytes that another implementation sends, over TLS, and reads the answer's bytes.</summary>
static class RawClient
{
    /// <summary>Sends one request; header lines end in \n here and in CRLF on the wire. Content-Length is added where there is a body.</summary>
    public static async Task<RawAnswer> SendAsync(TestBroker broker, string head, byte[]? body = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        using var socket = new TcpClient();
        await socket.ConnectAsync(broker.Server.Endpoint.Host, broker.Server.Endpoint.Port, limit.Token);
        await using var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = SslProtocols.Tls13 }, limit.Token);
        var lines = head.Trim().Split('\n').Select(l => l.TrimEnd('\r')).ToList();
        lines.Add($"host: {broker.Server.Endpoint.Authority}");
        lines.Add("connection: close");
        if (body is not null)
            lines.Add($"content-length: {body.Length}");
        await tls.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n"), limit.Token);
        await tls.WriteAsync(body ?? [], limit.Token);
        using var answer = new MemoryStream();
        await tls.CopyToAsync(answer, limit.Token);
        return RawAnswer.Parse(answer.ToArray());
    }
}

/// <summary>An answer: the status, header fields by lower-case name, the body.</summary>
sealed record RawAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public static RawAnswer Parse(byte[] bytes)
    {
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        var lines = Encoding.ASCII.GetString(bytes, 0, end).Split("\r\n");
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(l => l[0].ToLowerInvariant(), l => l[1]);
        return new RawAnswer(int.Parse(lines[0].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), headers, bytes[(end + 4)..]);
    }
}
