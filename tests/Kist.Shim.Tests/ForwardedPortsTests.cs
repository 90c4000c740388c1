using System.Net.Sockets;
using System.Text;
using Kist.Formats;
using Kist.Host;
using Kist.Linux.Network;
using Kist.Shim.Network;
using Kist.Testing;

namespace Kist.Shim.Tests;

/// <summary>Ports of a pod as a kubelet finds them: in the pod's network namespace, on localhost.</summary>
public sealed class ForwardedPortsTests
{
    private const string Namespace = "kist-test-ports";

    [Fact]
    public async Task Open_InANamespace_IsReachedThereAndNowhereElse()
    {
        ExternalProgram.Require("ip");
        Assert.SkipWhen(!Environment.IsPrivilegedProcess, "a network namespace needs root");
        var cancel = TestContext.Current.CancellationToken;
        ExternalProgram.TryRun("ip", ["netns", "del", Namespace]);
        ExternalProgram.Run("ip", ["netns", "add", Namespace]);
        try
        {
            ExternalProgram.Run("ip", ["-n", Namespace, "link", "set", "lo", "up"]);
            await using var ports = ForwardedPorts.Open($"/run/netns/{Namespace}", "18080", async (port, connection, token) =>
            {
                await connection.SendAsync(Encoding.UTF8.GetBytes($"port {port}"), token);
                connection.Shutdown(SocketShutdown.Both);
            });

            foreach (var address in (string[])["127.0.0.1", "::1"])
            {
                using var inside = NetworkNamespace.Run($"/run/netns/{Namespace}", () => Connect(address));
                var buffer = new byte[64];
                Assert.Equal("port 18080", Encoding.UTF8.GetString(buffer, 0, await inside.ReceiveAsync(buffer, cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), cancel)));
            }

            Assert.Throws<SocketException>(() => Connect("127.0.0.1").Dispose());
        }
        finally
        {
            ExternalProgram.TryRun("ip", ["netns", "del", Namespace]);
        }
    }

    [Fact]
    public void Annotation_WrittenAndRead_IsTheSame()
    {
        Assert.Equal([80, 8080], PodPortNames.Read(PodPortNames.Write([8080, 80, 80])));
        Assert.Empty(PodPortNames.Read(null));
        foreach (var text in (string[])["x", "0", "70000", "80,,x", "-1"])
            Assert.Throws<OperationFailedException>(() => PodPortNames.Read(text));
    }

    private static Socket Connect(string address)
    {
        var parsed = System.Net.IPAddress.Parse(address);
        var socket = new Socket(parsed.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(parsed, 18080);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
