using System.Diagnostics;
using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Kist.Ttrpc.Tests;

/// <summary>Our client against containerd's own ttrpc server, which takes events from shims.</summary>
public class ContainerdInteropTests
{
    private const string Events = "containerd.services.events.ttrpc.v1.Events";

    [Fact]
    public async Task Call_ContainerdEventsService_AnswersAsTheProtocolSays()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/containerd"), "containerd is not installed");
        Assert.SkipUnless(Environment.UserName == "root", "containerd needs root");
        var folder = Directory.CreateTempSubdirectory("kist-containerd-");
        using var containerd = Start(folder.FullName);
        try
        {
            await using var client = new TtrpcClient(await Connect(Path.Combine(folder.FullName, "c.sock.ttrpc")), "containerd");
            var token = TestContext.Current.CancellationToken;
            var patience = TimeSpan.FromSeconds(20);

            var unknown = await Assert.ThrowsAsync<TtrpcException>(
                () => client.CallAsync(Events, "Nothing", new Empty(), Empty.Parser, patience, token));
            var accepted = await client.CallAsync(Events, "Forward", Event(), Empty.Parser, patience, token);
            var calls = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Assert.ThrowsAsync<TtrpcException>(
                () => client.CallAsync(Events, "Nothing", new Empty(), Empty.Parser, patience, token))));

            Assert.Equal(TtrpcStatusCode.Unimplemented, unknown.Code);
            Assert.Equal(new Empty(), accepted);
            Assert.All(calls, c => Assert.Equal(TtrpcStatusCode.Unimplemented, c.Code));
        }
        finally
        {
            containerd.Kill();
            await containerd.WaitForExitAsync(CancellationToken.None);
            folder.Delete(recursive: true);
        }
    }

    /// <summary>
    /// ForwardRequest{1: Envelope{1: timestamp, 2: namespace, 3: topic, 4: event}}, carried by a message that keeps
    /// unknown fields.
    /// </summary>
    private static Empty Event()
    {
        var envelope = new byte[512];
        using var output = new CodedOutputStream(envelope);
        output.WriteTag(1, WireFormat.WireType.LengthDelimited);
        output.WriteMessage(new Timestamp { Seconds = 1_700_000_000 });
        output.WriteTag(2, WireFormat.WireType.LengthDelimited);
        output.WriteString("default");
        output.WriteTag(3, WireFormat.WireType.LengthDelimited);
        output.WriteString("/tasks/exit");
        output.WriteTag(4, WireFormat.WireType.LengthDelimited);
        output.WriteMessage(new Any { TypeUrl = "containerd.events.TaskExit" });
        output.Flush();
        var length = (int)output.Position;

        var request = new byte[600];
        using var outer = new CodedOutputStream(request);
        outer.WriteTag(1, WireFormat.WireType.LengthDelimited);
        outer.WriteBytes(ByteString.CopyFrom(envelope, 0, length));
        outer.Flush();
        return Empty.Parser.ParseFrom(request, 0, (int)outer.Position);
    }

    private static Process Start(string folder)
    {
        var config = Path.Combine(folder, "config.toml");
        File.WriteAllText(config, $"""
            version = 2
            root = "{folder}/root"
            state = "{folder}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "{folder}/c.sock"
            [ttrpc]
              address = "{folder}/c.sock.ttrpc"
            """);
        return Process.Start(new ProcessStartInfo("/usr/bin/containerd", ["--config", config])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
    }

    private static async Task<NetworkStream> Connect(string path)
    {
        for (var attempt = 0; ; attempt++)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (attempt < 200)
            {
                socket.Dispose();
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }
}
