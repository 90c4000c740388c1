using System.Net;
using System.Net.Sockets;
using Kist.Enclaves.Names;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Names;

/// <summary>Names are found in the two files and at a name server; whatever a server sends, nothing but addresses comes of it.</summary>
public sealed class NameResolverTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Resolve_ListedOrLiteral_AsksNobody()
    {
        var resolver = new NameResolver("# comment\n127.0.0.1 localhost\n10.0.0.7 broker broker.example # trailing\n::1 BROKER\nbad broker\n", null);
        Assert.Equal([IPAddress.Parse("10.0.0.7"), IPAddress.IPv6Loopback], await resolver.ResolveAsync("broker", Cancel));
        Assert.Equal([IPAddress.Parse("10.0.0.7")], await resolver.ResolveAsync("Broker.Example", Cancel));
        Assert.Equal([IPAddress.Parse("192.0.2.1")], await resolver.ResolveAsync("192.0.2.1", Cancel));
        Assert.Empty(await resolver.ResolveAsync("other", Cancel));
    }

    [Fact]
    public async Task Resolve_ByAServer_HasAddressesBehindAnAlias()
    {
        using var server = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var serving = ServeAsync(server, stop.Token);
        var resolver = new NameResolver(null, "search example\nnameserver 127.0.0.1\noptions edns0\n") { ServerPort = ((IPEndPoint)server.Client.LocalEndPoint!).Port };
        Assert.Equal([IPAddress.Parse("192.0.2.9"), IPAddress.Parse("2001:db8::9")], await resolver.ResolveAsync("registry.example", Cancel));
        await Assert.ThrowsAsync<OperationFailedException>(() => resolver.ResolveAsync("no name", Cancel));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
    }

    [Fact]
    public async Task Connect_NameWithoutAddress_SaysSo()
    {
        var error = await Assert.ThrowsAsync<HttpRequestException>(async () => await new NameResolver(null, null).ConnectAsync("broker.example", 443, Cancel));
        Assert.Contains("broker.example has no address", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Addresses_TruncatedOrChangedAnswer_IsRefusedOrHasOnlyAddresses()
    {
        var question = DnsMessage.Question(0x1234, "registry.example", DnsMessage.Address4);
        var answer = Answer(question);
        Assert.Equal([IPAddress.Parse("192.0.2.9")], DnsMessage.Addresses(answer, question));
        for (var length = 0; length < answer.Length; length++)
            Assert.Throws<MalformedDataException>(() => DnsMessage.Addresses(answer.AsSpan(0, length), question));
        for (var i = 0; i < question.Length; i++)
        {
            var changed = answer.ToArray();
            changed[i] ^= 0x40;
            try
            {
                Assert.All(DnsMessage.Addresses(changed, question), a => Assert.Equal(AddressFamily.InterNetwork, a.AddressFamily));
            }
            catch (MalformedDataException)
            {
                // As it should be.
            }
        }

        var failed = answer.ToArray();
        failed[3] |= 2;
        Assert.Throws<MalformedDataException>(() => DnsMessage.Addresses(failed, question));
    }

    private static async Task ServeAsync(UdpClient server, CancellationToken cancellationToken)
    {
        while (true)
        {
            var request = await server.ReceiveAsync(cancellationToken);
            await server.SendAsync(Answer(request.Buffer), request.RemoteEndPoint, cancellationToken);
        }
    }

    /// <summary>An alias, and the address of the name that it stands for.</summary>
    private static byte[] Answer(byte[] question)
    {
        var type = question[^3];
        byte[] address = type == DnsMessage.Address4 ? [192, 0, 2, 9] : IPAddress.Parse("2001:db8::9").GetAddressBytes();
        byte[] header = [question[0], question[1], 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
        byte[] alias = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, (byte)'r', 0xc0, 21];
        return [.. header, .. question[12..], .. alias, 1, (byte)'r', 0xc0, 21, 0, type, 0, 1, 0, 0, 0, 60, 0, (byte)address.Length, .. address];
    }
}
