using Kist.Testing;

namespace Kist.Shim.Tests;

/// <summary>The interfaces of a network namespace, joined to a guest. The other ends of the veth pairs play the node.</summary>
[Collection("containerd")]
public sealed class NetworkTests(Containerd fixture)
{
    private const string Namespace = "knet-test-pod", Peer = "knet-test-node";

    private readonly Containerd _containerd = fixture.RequireNetworks();

    [Fact]
    public void Run_InNamespaceWithTwoInterfaces_ReachesAndIsReachedByBothFamilies()
    {
        ExternalProgram.Require("ip");
        Remove();
        try
        {
            Make();
            var result = _containerd.RunCtr(_containerd.Run(
                "networked", ["--rm", "--with-ns", $"network:/run/netns/{Namespace}"], "/bin/sh", "-c",
                "ip -o link show eth0 | grep -o 'mtu [0-9]*'; ip -o -4 addr show net1 | grep -o '10.78.1.2/30'; ip route | grep default; "
                + "ping -c 1 -W 5 10.77.0.1 >/dev/null && echo v4; ping -c 1 -W 5 fd77::1 >/dev/null && echo v6; "
                + "ping -c 1 -W 5 10.78.1.1 >/dev/null && echo second; ping -c 1 -W 5 192.0.2.1 >/dev/null && echo routed; ls /sys/class/net | grep -c ."));

            Assert.True(result.ExitCode == 0, result + string.Join('\n', File.ReadLines(_containerd.Log).TakeLast(20)));
            Assert.Equal("mtu 1420\n10.78.1.2/30\ndefault via 10.77.0.1 dev eth0 \nv4\nv6\nsecond\nrouted\n4\n", result.Output);
            Assert.DoesNotContain("kist", ExternalProgram.Run("ip", ["-n", Namespace, "link", "show"]), StringComparison.Ordinal);
            Assert.DoesNotContain("ingress", ExternalProgram.Run("tc", ["-n", Namespace, "qdisc", "show"]), StringComparison.Ordinal);
        }
        finally
        {
            Remove();
        }
    }

    private static void Make()
    {
        foreach (var line in (string[])
        [
            $"netns add {Namespace}", $"netns add {Peer}",
            $"-n {Namespace} link add eth0 mtu 1420 type veth peer name veth0 netns {Peer}",
            $"-n {Namespace} link add net1 type veth peer name veth1 netns {Peer}",
            $"-n {Namespace} addr add 10.77.0.2/24 dev eth0", $"-n {Namespace} addr add fd77::2/64 dev eth0 nodad",
            $"-n {Namespace} addr add 10.78.1.2/30 dev net1",
            $"-n {Namespace} link set eth0 up", $"-n {Namespace} link set net1 up", $"-n {Namespace} link set lo up",
            $"-n {Peer} addr add 10.77.0.1/24 dev veth0", $"-n {Peer} addr add fd77::1/64 dev veth0 nodad",
            $"-n {Peer} addr add 10.78.1.1/30 dev veth1", $"-n {Peer} addr add 192.0.2.1/32 dev lo",
            $"-n {Peer} link set veth0 mtu 1420 up", $"-n {Peer} link set veth1 up", $"-n {Peer} link set lo up",
            $"-n {Namespace} route add default via 10.77.0.1",
        ])
        {
            ExternalProgram.Run("ip", line.Split(' '));
        }
    }

    private static void Remove()
    {
        ExternalProgram.TryRun("ip", ["netns", "del", Namespace]);
        ExternalProgram.TryRun("ip", ["netns", "del", Peer]);
    }
}
