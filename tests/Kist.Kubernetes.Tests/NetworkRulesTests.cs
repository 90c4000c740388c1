using System.Text.Json;
using Kist.Host;

namespace Kist.Kubernetes.Tests;

/// <summary>
/// What a network lets the host choose: names, addresses and routes of the pod's interfaces, and nothing that a container
/// would take for the guest's own.
/// </summary>
public sealed class NetworkRulesTests
{
    private static async Task<AgentPolicyTrial> PolicyAsync(GenerateOptions? options = null) =>
        AgentPolicyTrial.Compile(Assert.Single((await Pods.GenerateAsync(Pods.Pod(""), options)).Pods).Policy);

    [Theory]
    [InlineData("eth0", "10.1.2.3", true)]
    [InlineData("net1", "fd00::3", true)]
    [InlineData("lo", "10.1.2.3", false)]
    [InlineData("eth0", "127.0.0.1", false)]
    [InlineData("eth0", "127.255.0.9", false)]
    [InlineData("eth0", "::1", false)]
    public async Task Interface_MayHaveAnyAddressButTheGuestsOwn(string name, string address, bool allowed)
    {
        var policy = await PolicyAsync();
        Assert.Equal(allowed, policy.Ask("UpdateInterfaceRequest", json => WriteInterface(json, name, "10.9.9.9", address)).IsAllowed);
    }

    [Theory]
    [InlineData("", "eth0", true)]
    [InlineData("10.0.0.0/8", "eth0", true)]
    [InlineData("127.0.0.0/8", "eth0", false)]
    [InlineData("127.0.0.1/32", "eth0", false)]
    [InlineData("::1/128", "eth0", false)]
    [InlineData("10.0.0.0/8", "lo", false)]
    public async Task Route_MayLeadAnywhereButToTheGuestsOwn(string destination, string device, bool allowed)
    {
        var policy = await PolicyAsync();
        Assert.Equal(allowed, policy.Ask("UpdateRoutesRequest", json => WriteRoute(json, destination, device)).IsAllowed);
    }

    [Theory]
    [InlineData("web", true)]
    [InlineData("", true)]
    [InlineData("evil", false)]
    [InlineData("web\n127.0.0.1 bank.example", false)]
    public async Task Sandbox_HasTheNameThatTheManifestGives(string hostname, bool allowed)
    {
        var policy = await PolicyAsync();
        Assert.Equal(allowed, policy.Ask("CreateSandboxRequest", json =>
        {
            json.WriteString("hostname", hostname);
            json.WriteStartArray("dns");
            json.WriteStringValue("nameserver 10.96.0.10");
            json.WriteEndArray();
        }).IsAllowed);
    }

    [Fact]
    public async Task Ports_OnlyThoseOfTheOwner_MayBeConnectedTo()
    {
        Assert.False((await PolicyAsync()).Ask("PortForwardRequest", json => json.WriteNumber("port", 8080)).IsAllowed);
        var policy = await PolicyAsync(new GenerateOptions { Ports = [8080] });
        Assert.True(policy.Ask("PortForwardRequest", json => json.WriteNumber("port", 8080)).IsAllowed);
        foreach (var port in (int[])[0, 80, 8006, 8081, 65535])
            Assert.False(policy.Ask("PortForwardRequest", json => json.WriteNumber("port", port)).IsAllowed);
    }

    [Theory]
    [InlineData("ExecProcessRequest")]
    [InlineData("ReadStreamRequest")]
    [InlineData("WriteStreamRequest")]
    [InlineData("TtyWinResizeRequest")]
    [InlineData("GuestServiceRequest")]
    [InlineData("PortForwardRequest")]
    [InlineData("SetPolicyRequest")]
    [InlineData("CopyFileRequest")]
    public async Task Host_WithoutTheOwnersWord_GetsNothing(string rule) => Assert.False((await PolicyAsync()).Ask(rule, json =>
    {
        json.WriteString("container_id", "x");
        json.WriteString("container_name", "main");
        json.WriteString("exec_id", "");
        json.WriteBoolean("inherits", true);
        json.WriteStartObject("process");
        json.WriteStartArray("Args");
        json.WriteStringValue("/bin/sh");
        json.WriteEndArray();
        json.WriteEndObject();
    }).IsAllowed);

    [Fact]
    public async Task Exec_WhatIsPinned_RunsAsTheContainerDoesAndNotOtherwise()
    {
        var policy = await PolicyAsync(new GenerateOptions { Exec = [new ContainerGrant<IReadOnlyList<string>>("main", ["/bin/debug"])] });
        Assert.True(Exec(policy, true, "/bin/debug").IsAllowed);
        Assert.False(Exec(policy, false, "/bin/debug").IsAllowed);
        Assert.False(Exec(policy, true, "/bin/debug", "-x").IsAllowed);
        Assert.False(Exec(policy, true, "/bin/sh").IsAllowed);
    }

    /// <summary>A process under a user and with variables that nobody pinned: only the agent's word that they are the container's own counts.</summary>
    private static TrialResult Exec(AgentPolicyTrial policy, bool inherits, params string[] arguments) => policy.Ask("ExecProcessRequest", json =>
    {
        json.WriteString("container_name", "main");
        json.WriteString("exec_id", "e");
        json.WriteBoolean("inherits", inherits);
        json.WriteStartObject("process");
        json.WriteStartArray("Args");
        foreach (var argument in arguments)
            json.WriteStringValue(argument);
        json.WriteEndArray();
        json.WriteStartArray("Env");
        json.WriteStringValue("LD_PRELOAD=/evil.so");
        json.WriteEndArray();
        json.WriteString("Cwd", "/somewhere");
        json.WriteStartObject("User");
        json.WriteString("Username", "0");
        json.WriteEndObject();
        json.WriteBoolean("Terminal", false);
        json.WriteStartArray("Capabilities");
        json.WriteEndArray();
        json.WriteBoolean("NoNewPrivileges", true);
        json.WriteEndObject();
    });

    private static void WriteInterface(Utf8JsonWriter json, string name, params string[] addresses)
    {
        json.WriteStartObject("interface");
        json.WriteString("name", name);
        json.WriteNumber("mtu", 1500);
        json.WriteStartArray("IPAddresses");
        foreach (var address in addresses)
        {
            json.WriteStartObject();
            json.WriteString("address", address);
            json.WriteString("mask", "24");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRoute(Utf8JsonWriter json, string destination, string device)
    {
        json.WriteStartObject("routes");
        json.WriteStartArray("Routes");
        json.WriteStartObject();
        json.WriteString("dest", destination);
        json.WriteString("gateway", "10.1.0.1");
        json.WriteString("device", device);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
