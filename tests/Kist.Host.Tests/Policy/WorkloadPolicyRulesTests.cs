using System.Text.Json;
using Kist.Pods.Protocol;
using Kist.Rego;

namespace Kist.Host.Tests.Policy;

/// <summary>The rules of the written policy: what was pinned is allowed, and any one deviation is denied.</summary>
public sealed class WorkloadPolicyRulesTests
{
    private static readonly VolumeInput Files = new("settings", "/etc/settings", true, "files")
    {
        Files = [VolumeFileInput.Of("a.conf", 0x1a4, "content"u8)],
    };

    private static readonly VolumeInput Scratch = new("cache", "/cache", false, "memory") { SizeBytes = 1 << 20 };

    private static readonly CreateContainerInput Good = new()
    {
        ContainerId = "3f0a",
        ContainerName = "web",
        ImageReference = "registry.example/web",
        ManifestDigest = "sha256:aa",
        ConfigDigest = "sha256:bb",
        Encrypted = true,
        Overrides = new ProcessOverrides(null, [], [], "", ""),
        Process = new ContainerProcess(["/bin/web", "--port=80"], ["PATH=/bin", "MODE=secure", "HOSTNAME=web-1"], "/srv", "1000"),
        Capabilities = ["CAP_CHOWN"],
        ReadOnlyRoot = true,
        Hostname = "web-1",
        Volumes = [Files, Scratch],
    };

    private static readonly RegoProgram Program = Compile(
    [
        PinnedContainer.Of("debug", "registry.example/debug", "sha256:dd", true, new ContainerProcess(["/bin/sleep"], ["PATH=/bin"], "/", "7")) with
        {
            ExecAny = true,
            Capabilities = ["CAP_CHOWN"],
        },
        PinnedContainer.Of("setup", "registry.example/setup", "sha256:cc", true, new ContainerProcess(["/setup"], ["PATH=/bin"], "/", "0")),
        new PinnedContainer
        {
            Name = "web",
            Reference = "registry.example/web",
            ManifestDigest = "sha256:aa",
            Encrypted = true,
            Args = [PinnedText.Exactly("/bin/web"), PinnedText.Exactly("--port=80")],
            Env = [PinnedText.Exactly("PATH=/bin"), PinnedText.Exactly("MODE=secure"), PinnedText.Pattern("HOSTNAME=web-", "[0-9]+", false, ""), PinnedText.Pattern("POD_IP=", "[0-9.]+", false, "")],
            Cwd = "/srv",
            Users = ["1000", "1000:0"],
            Capabilities = ["CAP_CHOWN", "CAP_KILL"],
            ReadOnlyRoot = true,
            Hostname = PinnedText.Pattern("web-", "[0-9]+", false, ""),
            Volumes = [new PinnedVolume(Files), new PinnedVolume(Scratch)],
            AfterCompletion = ["setup"],
            Exec = [["/bin/health", "-q"]],
            Services = [new PinnedService("resource", "kbs:///default/web/key"), new PinnedService("evidence", "")],
        },
    ]);

    public static TheoryData<string> Mutations => [.. Changes.Keys];

    private static Dictionary<string, Func<CreateContainerInput, CreateContainerInput>> Changes { get; } = new()
    {
        ["another container's name"] = i => i with { ContainerName = "setup" },
        ["no such name"] = i => i with { ContainerName = "other" },
        ["another image"] = i => i with { ManifestDigest = "sha256:ab" },
        ["an image in the clear"] = i => i with { Encrypted = false },
        ["another argument"] = i => i with { Process = i.Process with { Args = ["/bin/web", "--port=81"] } },
        ["one argument more"] = i => i with { Process = i.Process with { Args = ["/bin/web", "--port=80", "-x"] } },
        ["one argument less"] = i => i with { Process = i.Process with { Args = ["/bin/web"] } },
        ["no arguments"] = i => i with { Process = i.Process with { Args = [] } },
        ["a variable more"] = i => i with { Process = i.Process with { Env = [.. i.Process.Env, "LD_PRELOAD=/evil.so"] } },
        ["a variable less"] = i => i with { Process = i.Process with { Env = ["PATH=/bin"] } },
        ["another value"] = i => i with { Process = i.Process with { Env = ["PATH=/bin", "MODE=insecure"] } },
        ["a pattern with a line break"] = i => i with { Process = i.Process with { Env = ["PATH=/bin", "MODE=secure", "HOSTNAME=web-1\n"] } },
        ["a pattern within a longer text"] = i => i with { Process = i.Process with { Env = ["PATH=/bin", "MODE=secure", "X_HOSTNAME=web-1"] } },
        ["another directory"] = i => i with { Process = i.Process with { Cwd = "/" } },
        ["another user"] = i => i with { Process = i.Process with { User = "0" } },
        ["a terminal"] = i => i with { Terminal = true },
        ["a capability"] = i => i with { Capabilities = ["CAP_CHOWN", "CAP_SYS_ADMIN"] },
        ["a writable root"] = i => i with { ReadOnlyRoot = false },
        ["another host name"] = i => i with { Hostname = "db-1" },
        ["no volumes"] = i => i with { Volumes = [] },
        ["a volume less"] = i => i with { Volumes = [Files] },
        ["a volume more"] = i => i with { Volumes = [.. i.Volumes, Scratch with { Name = "other" }] },
        ["a volume twice"] = i => i with { Volumes = [Files, Files] },
        ["another mount path"] = i => i with { Volumes = [Files with { MountPath = "/etc" }, Scratch] },
        ["a writable volume"] = i => i with { Volumes = [Files with { ReadOnly = false }, Scratch] },
        ["another kind of volume"] = i => i with { Volumes = [Files, Scratch with { Kind = "block" }] },
        ["another size"] = i => i with { Volumes = [Files, Scratch with { SizeBytes = 2 << 20 }] },
        ["another key"] = i => i with { Volumes = [Files, Scratch with { Key = "kbs:///default/a/b" }] },
        ["another content"] = i => i with { Volumes = [Files with { Files = [VolumeFileInput.Of("a.conf", 0x1a4, "Content"u8)] }, Scratch] },
        ["another mode"] = i => i with { Volumes = [Files with { Files = [VolumeFileInput.Of("a.conf", 0x1ff, "content"u8)] }, Scratch] },
        ["a file more"] = i => i with { Volumes = [Files with { Files = [.. Files.Files, VolumeFileInput.Of("b", 0x1a4, ""u8)] }, Scratch] },
        ["a file less"] = i => i with { Volumes = [Files with { Files = [] }, Scratch] },
    };

    [Fact]
    public void CreateContainer_AsPinned_IsAllowed()
    {
        Assert.True(Allows("CreateContainerRequest", Good.Write));
        Assert.True(Allows("CreateContainerRequest", (Good with { Hostname = Good.ContainerId, Capabilities = [] }).Write));
        Assert.True(Allows("CreateContainerRequest", (Good with { Process = Good.Process with { Env = ["POD_IP=10.0.0.1", "MODE=secure", "PATH=/bin"], User = "1000:0" } }).Write));
        Assert.True(Allows("CreateContainerRequest", (Good with { Volumes = [Scratch, Files] }).Write));
    }

    [Theory]
    [MemberData(nameof(Mutations))]
    public void CreateContainer_WithOneChange_IsDenied(string change) =>
        Assert.False(Allows("CreateContainerRequest", Changes[change](Good).Write));

    [Fact]
    public void StartContainer_BeforeItsInitContainer_IsDenied()
    {
        Assert.False(Allows("StartContainerRequest", json => Named(json, "web", j => new PodStateInput(["setup"], []).Write(j))));
        Assert.True(Allows("StartContainerRequest", json => Named(json, "web", j => new PodStateInput(["setup"], ["setup"]).Write(j))));
        Assert.True(Allows("StartContainerRequest", json => Named(json, "setup", PodStateInput.Empty.Write)));
        Assert.False(Allows("StartContainerRequest", json => Named(json, "unknown", PodStateInput.Empty.Write)));
    }

    private static readonly ExecProcessInput GoodExec = new()
    {
        ExecId = "probe",
        Process = new ContainerProcess(["/bin/health", "-q"], ["PATH=/bin", "MODE=secure", "HOSTNAME=web-1"], "/srv", "1000"),
        Capabilities = ["CAP_CHOWN"],
    };

    public static TheoryData<string> ExecMutations => [.. ExecChanges.Keys];

    private static Dictionary<string, Func<ExecProcessInput, ExecProcessInput>> ExecChanges { get; } = new()
    {
        ["another command"] = i => i with { Process = i.Process with { Args = ["/bin/sh"] } },
        ["one argument less"] = i => i with { Process = i.Process with { Args = ["/bin/health"] } },
        ["one argument more"] = i => i with { Process = i.Process with { Args = ["/bin/health", "-q", "-x"] } },
        ["a variable more"] = i => i with { Process = i.Process with { Env = [.. i.Process.Env, "LD_PRELOAD=/evil.so"] } },
        ["another value"] = i => i with { Process = i.Process with { Env = ["PATH=/evil", "MODE=secure"] } },
        ["a terminal's variable without a terminal"] = i => i with { Process = i.Process with { Env = [.. i.Process.Env, "TERM=xterm"] } },
        ["another directory"] = i => i with { Process = i.Process with { Cwd = "/tmp" } },
        ["another user"] = i => i with { Process = i.Process with { User = "0" } },
        ["a terminal"] = i => i with { Terminal = true },
        ["a capability"] = i => i with { Capabilities = ["CAP_CHOWN", "CAP_SYS_ADMIN"] },
    };

    [Fact]
    public void Exec_AsPinned_IsAllowed()
    {
        Assert.True(Allows("ExecProcessRequest", json => Named(json, "web", GoodExec.Write)));
        Assert.False(Allows("ExecProcessRequest", json => Named(json, "setup", GoodExec.Write)));
        Assert.False(Allows("ExecProcessRequest", json => Named(json, "unknown", GoodExec.Write)));
    }

    [Theory]
    [MemberData(nameof(ExecMutations))]
    public void Exec_WithOneChange_IsDenied(string change) =>
        Assert.False(Allows("ExecProcessRequest", json => Named(json, "web", ExecChanges[change](GoodExec).Write)));

    [Theory]
    [InlineData("another command", true)]
    [InlineData("a terminal", true)]
    [InlineData("a variable more", true)]
    [InlineData("another user", false)]
    [InlineData("a capability", false)]
    public void Exec_OfAnything_StillKeepsTheRights(string change, bool allowed) =>
        Assert.Equal(allowed, Allows("ExecProcessRequest", json => Named(json, "debug", ExecChanges[change](GoodExec with { Process = GoodExec.Process with { User = "7" } }).Write)));

    [Theory]
    [InlineData("web", "ReadStreamRequest", true)]
    [InlineData("web", "WriteStreamRequest", false)]
    [InlineData("debug", "WriteStreamRequest", true)]
    [InlineData("unknown", "ReadStreamRequest", false)]
    [InlineData("unknown", "TtyWinResizeRequest", false)]
    [InlineData("unknown", "WriteStreamRequest", false)]
    public void Streams_OfExecutedProcesses_FollowTheContainer(string container, string rule, bool allowed) =>
        Assert.Equal(allowed, Allows(rule, json => Named(json, container, j => j.WriteString("exec_id", "probe"))));

    [Theory]
    [InlineData("UpdateInterfaceRequest")]
    [InlineData("UpdateRoutesRequest")]
    [InlineData("PortForwardRequest")]
    public void Network_NotPinned_IsDenied(string rule) => Assert.False(Allows(rule, json => json.WriteNumber("port", 80)));

    [Fact]
    public void Sandbox_WithNameServersButNoNetwork_IsDenied()
    {
        Assert.True(Allows("CreateSandboxRequest", json => WriteDns(json)));
        Assert.False(Allows("CreateSandboxRequest", json => WriteDns(json, "nameserver 10.0.0.1")));
    }

    [Theory]
    [InlineData("web", "resource", "kbs:///default/web/key", true)]
    [InlineData("web", "resource", "kbs:///default/web/other", false)]
    [InlineData("web", "evidence", "", true)]
    [InlineData("web", "token", "kbs", false)]
    [InlineData("setup", "resource", "kbs:///default/web/key", false)]
    [InlineData("unknown", "evidence", "", false)]
    public void GuestService_OnlyOfNamedResources_IsAllowed(string container, string service, string resource, bool allowed) => Assert.Equal(
        allowed, Allows("GuestServiceRequest", json => Named(json, container, j =>
        {
            j.WriteString("service", service);
            j.WriteString("resource", resource);
        })));

    [Theory]
    [InlineData("WaitProcessRequest", true)]
    [InlineData("SignalProcessRequest", true)]
    [InlineData("ReadStreamRequest", true)]
    [InlineData("WriteStreamRequest", false)]
    [InlineData("TtyWinResizeRequest", false)]
    [InlineData("SetPolicyRequest", false)]
    public void Others_FollowWhatIsPinned(string rule, bool allowed)
    {
        Assert.Equal(allowed, Allows(rule, json => Named(json, "web", _ => { })));
        Assert.False(Allows(rule, json => Named(json, "unknown", _ => { })));
    }

    private static RegoProgram Compile(IReadOnlyList<PinnedContainer> containers) => RegoProgram.Compile("policy.rego", WorkloadPolicy.Write(containers), RegoVersion.V1);

    private static void Named(Utf8JsonWriter json, string name, Action<Utf8JsonWriter> more)
    {
        json.WriteString("container_id", "3f0a");
        json.WriteString("container_name", name);
        more(json);
    }

    private static void WriteDns(Utf8JsonWriter json, params string[] lines)
    {
        json.WriteString("hostname", "");
        json.WriteStartArray("dns");
        foreach (var line in lines)
            json.WriteStringValue(line);
        json.WriteEndArray();
    }

    private static bool Allows(string rule, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Program.RuleNames.Contains($"data.agent_policy.{rule}")
            && Program.Evaluate($"data.agent_policy.{rule}", RegoValue.FromJson(buffer.ToArray())).IsTrue;
    }
}
