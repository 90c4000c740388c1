using System.Net;

namespace Kist.Shim.Tests.Cri;

/// <summary>
/// Pods under the CRI plugin of Debian's containerd, asked for as a kubelet asks: what a runtime class in Kubernetes rests on.
/// </summary>
[Collection("containerd")]
public sealed class CriTests(Containerd fixture)
{
    private readonly Containerd _containerd = fixture.RequirePods();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pod_AsAKubeletRunsIt_ServesLogsCountsAndEnds()
    {
        using var forwarding = new ForwardingSetting();
        using var pod = new KubeletPod(_containerd, "web-pod");
        await pod.RunAsync();
        Assert.StartsWith(PodNetworks.Prefix, pod.Address, StringComparison.Ordinal);
        pod.WriteConfigMap("settings", "greeting", "hello from a ConfigMap");

        var web = await pod.StartAsync("web", ["/bin/sh", "-c"],
            ["mkdir /www; cp /etc/settings/greeting /www/index.html; httpd -p 8080 -h /www; echo $COLOUR; echo oops >&2; trap 'exit 0' TERM; while :; do sleep 0.1; done"]);
        await pod.WaitForLogAsync("web", "oops");
        Assert.Equal(["stdout F green", "stderr F oops"], pod.Log("web").Order(StringComparer.Ordinal).Reverse());
        using (var http = new HttpClient())
            Assert.Equal("hello from a ConfigMap", await http.GetStringAsync(new Uri($"http://{pod.Address}:8080/"), Token));

        using (new NameServer(IPAddress.Parse(PodNetworks.Gateway)))
        {
            var network = await pod.ExecAsync(web, "/bin/sh", "-c",
                "hostname; nslookup service | grep -o '192.0.2.77'; ip -o link show eth0 | grep -o 'mtu [0-9]*'; ip -o -6 addr show eth0 | grep -o 'fd79:31::[0-9a-f]*'; ip -6 route | grep -c ^default; exit 6");
            Assert.Equal(6, network.ExitCode);
            Assert.Matches("^web-pod\n192.0.2.77\nmtu 1410\nfd79:31::[0-9a-f]+\n1\n$", network.Stdout.ToStringUtf8());
        }

        var stats = (await pod.Cri.Runtime.ContainerStatsAsync(new ContainerStatsRequest { ContainerId = web }, deadline: CriClient.Deadline, cancellationToken: Token)).Stats;
        Assert.True(stats.Cpu.UsageCoreNanoSeconds.Value > 0 && stats.Memory.WorkingSetBytes.Value is > 0 and < 256 << 20, stats.ToString());
        await pod.Cri.Runtime.UpdateContainerResourcesAsync(
            new UpdateContainerResourcesRequest { ContainerId = web, Linux = new Resources { MemoryLimitInBytes = 48 << 20 } }, deadline: CriClient.Deadline, cancellationToken: Token);
        Assert.Equal("50331648\n", (await pod.ExecAsync(web, "/bin/cat", "/sys/fs/cgroup/memory.max")).Stdout.ToStringUtf8());

        var failing = await pod.StartAsync("failing", ["/bin/sh", "-c"], ["wget -qO- http://127.0.0.1:8080/; exit 3"]);
        var end = await pod.WaitForEndAsync(failing);
        Assert.Equal((3, "Error"), (end.ExitCode, end.Reason));
        Assert.Equal(["stdout P hello from a ConfigMap"], pod.Log("failing"));

        // A kubelet does not notice that containerd was restarted, beyond its connection.
        _containerd.Stop();
        _containerd.Start();
        pod.Reconnect();
        Assert.Equal(0, (await pod.StatusAsync()).State);
        Assert.Equal("again\n", (await pod.ExecAsync(web, "/bin/echo", "again")).Stdout.ToStringUtf8());

        await pod.Cri.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = web, Timeout = 30 }, deadline: CriClient.Deadline, cancellationToken: Token);
        Assert.Equal((0, "Completed"), ((await pod.WaitForEndAsync(web)).ExitCode, (await pod.WaitForEndAsync(web)).Reason));
        await pod.RemoveAsync();
        await pod.AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Pod_PolicyForbidsAContainer_SaysSoAndGoesOn()
    {
        Exhaustive.Require();
        using var forwarding = new ForwardingSetting();
        using var pod = new KubeletPod(_containerd, "strict-pod");
        await pod.RunAsync();

        var refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => pod.StartAsync("forbidden", ["/bin/true"], []));
        Assert.Contains("the policy does not allow this request", refused.Status.Detail, StringComparison.Ordinal);
        var allowed = await pod.WaitForEndAsync(await pod.StartAsync("allowed", ["/bin/true"], []));
        Assert.Equal(0, allowed.ExitCode);

        await pod.RemoveAsync();
        await pod.AssertNothingIsLeftAsync();
    }
}
