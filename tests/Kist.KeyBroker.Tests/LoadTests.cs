using System.Security.Cryptography;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

/// <summary>Many guests at once, and peers who wish the broker ill.</summary>
public sealed class LoadTests
{
    private const int Guests = 1000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Guests_AThousandAtOnce_AllGetTheirSecret_AndTheBrokerStaysSmall()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { RequestTimeout = TimeSpan.FromMinutes(2) });
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        // All connections of one client: what is measured is the broker, not a thousand clients beside it.
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await Task.WhenAll(Enumerable.Range(0, Guests).Select(_ => Task.Run(async () =>
        {
            var token = await broker.AttestAsync(await broker.AuthAsync());
            using var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: token);
            Assert.Equal(200, (int)response.StatusCode);
        }, Token)));
        Assert.Equal(2 + (2 * Guests), (await admin.GetAuditHeadAsync(Token)).Size);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < Guests * 256 * 1024, $"{grown / Guests} bytes stay for each guest");
    }

    [Fact]
    public async Task Peers_ManyThatNeverFinish_DoNotKeepOthersOut()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { RequestTimeout = TimeSpan.FromSeconds(3), MaxConnections = 400 });
        var slow = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            var socket = new System.Net.Sockets.TcpClient();
            await socket.ConnectAsync(broker.Server.Endpoint.Host, broker.Server.Endpoint.Port, Token);
            // Half of them never even finish TLS' first message.
            await socket.GetStream().WriteAsync(i % 2 == 0 ? new byte[] { 0x16 } : [0x16, 3, 1, 2, 0], Token);
            return socket;
        }));
        await broker.AttestAsync(await broker.AuthAsync());
        // They are cut off in time: reading ends.
        foreach (var socket in slow.Take(10))
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
            limit.CancelAfter(TimeSpan.FromSeconds(30));
            var buffer = new byte[100];
            try
            {
                while (await socket.GetStream().ReadAsync(buffer, limit.Token) > 0)
                {
                    // An alert, perhaps.
                }
            }
            catch (IOException)
            {
                // Reset instead of closed.
            }
        }

        foreach (var socket in slow)
            socket.Dispose();
    }

    [Fact]
    public async Task Bodies_WithoutEnd_AreCutOffAtTheRoutesLimit()
    {
        await using var broker = await TestBroker.StartAsync();
        var handshake = await broker.AuthAsync();
        foreach (var (path, cookie) in new[] { ("/kbs/v0/auth", null), ("/kbs/v0/attest", handshake.Session) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StreamContent(new Endless()) };
            if (cookie is not null)
                request.Headers.Add("Cookie", $"kbs-session-id={cookie}");
            try
            {
                using var response = await broker.Http.SendAsync(request, Token);
                Assert.Equal(413, (int)response.StatusCode);
            }
            catch (HttpRequestException)
            {
                // The connection may be cut while more is still being sent.
            }
        }

        await broker.AttestAsync(await broker.AuthAsync());
    }

    [Fact]
    public async Task Token_AsOfEightGpus_IsAccepted()
    {
        // A verbose token of eight GPUs is about 170 KiB: ours of that size, by an init-data that is as large.
        await using var broker = await TestBroker.StartAsync(o => o with { VerboseTokens = true });
        using var admin = broker.Admin();
        await admin.SetResourcePolicyAsync("", "package policy\ndefault allow = true\n", Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        var handshake = await broker.AuthAsync();
        var padding = Convert.ToBase64String(RandomNumberGenerator.GetBytes(130 * 1024));
        var body = $"algorithm = \"sha384\"\nversion = \"0.1.0\"\n\n[data]\n\"padding\" = \"{padding}\"\n";
        var initData = System.Text.Json.JsonSerializer.Serialize(new { format = "toml", body });
        using var attested = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(initData: initData), handshake.Session);
        Assert.SkipUnless(attested.IsSuccessStatusCode, "the sample TEE binds no init-data");
        using var document = System.Text.Json.JsonDocument.Parse(await attested.Content.ReadAsByteArrayAsync(Token));
        var token = document.RootElement.GetProperty("token").GetString()!;
        Assert.True(token.Length > 170 * 1024);
        using var read = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: token);
        Assert.Equal(200, (int)read.StatusCode);
    }

    private sealed class Endless : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => count;

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
