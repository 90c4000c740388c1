using System.Net;
using System.Net.Sockets;
using Kist.Linux.Network;

namespace Kist.Linux.Tests;

public sealed class SocketDiagnosisTests
{
    [Fact]
    public async Task FindCgroup_OwnConnection_IsOneOfThisMachine()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        using var server = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var (local, remote) = ((IPEndPoint)server.Client.RemoteEndPoint!, (IPEndPoint)server.Client.LocalEndPoint!);

        Assert.True(SocketDiagnosis.FindCgroup(local, remote) > 0);
        // Another port of the client is nobody's; the kernel finds the listener, which is not taken for it.
        Assert.Null(SocketDiagnosis.FindCgroup(new IPEndPoint(IPAddress.Loopback, 1), remote));
    }

    [Fact]
    public async Task FindCgroup_ClosedConnection_IsNull()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        using var server = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var (local, remote) = ((IPEndPoint)server.Client.RemoteEndPoint!, (IPEndPoint)server.Client.LocalEndPoint!);
        client.Close();

        Assert.Null(SocketDiagnosis.FindCgroup(local, remote));
    }
}
