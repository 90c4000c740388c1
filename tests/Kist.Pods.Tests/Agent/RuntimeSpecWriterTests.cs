using System.Text;
using System.Text.Json;
using Kist.Agent.Containers;
using Kist.Pods.Protocol;
using Kist.Testing;

namespace Kist.Pods.Tests.Agent;

public class RuntimeSpecWriterTests
{
    private static readonly ContainerPlan Plan = new()
    {
        Name = "main",
        Id = "main",
        RootFileSystem = "/run/kist/containers/main/rootfs",
        Process = new ContainerProcess(["/bin/echo", "a \"quoted\" + word"], ["PATH=/bin", "A=b"], "/work", "worker"),
        User = new ContainerUser(1000, 1001, [1002], "/home/worker"),
        Hostname = "main",
        MemoryBytes = 64 << 20,
        CpuMillis = 500,
        Pids = 100,
        EtcFolder = "/run/kist/containers/main",
    };

    [Fact]
    public void Write_Container_IsTheGoldenDocument()
    {
        var path = Path.Combine(Evidence.RepositoryRoot, "tests", "vectors", "runtime-spec", "user-limits.json");

        Assert.Equal(File.ReadAllText(path), Encoding.UTF8.GetString(RuntimeSpecWriter.Write(Plan)) + "\n");
    }

    [Fact]
    public void Write_RootWithTerminal_HasCapabilitiesAndTerm()
    {
        using var spec = JsonDocument.Parse(RuntimeSpecWriter.Write(Plan with { User = new ContainerUser(0, 0, [], "/root"), Terminal = true, MemoryBytes = 0, CpuMillis = 0 }));
        var process = spec.RootElement.GetProperty("process");

        Assert.Equal(DefaultCapabilities.Names, process.GetProperty("capabilities").GetProperty("effective").EnumerateArray().Select(c => c.GetString()!));
        Assert.Contains("TERM=xterm", process.GetProperty("env").EnumerateArray().Select(e => e.GetString()));
        Assert.Contains("HOME=/root", process.GetProperty("env").EnumerateArray().Select(e => e.GetString()));
        Assert.False(spec.RootElement.GetProperty("linux").GetProperty("resources").TryGetProperty("memory", out _));
    }

    [Theory]
    [InlineData("mount")]
    [InlineData("unshare")]
    [InlineData("setns")]
    [InlineData("ptrace")]
    [InlineData("bpf")]
    [InlineData("keyctl")]
    [InlineData("kexec_load")]
    [InlineData("init_module")]
    [InlineData("io_uring_setup")]
    [InlineData("reboot")]
    [InlineData("open_by_handle_at")]
    public void Write_DangerousCall_IsNamedNowhereInTheSeccompProfile(string call)
    {
        using var spec = JsonDocument.Parse(RuntimeSpecWriter.Write(Plan));
        var seccomp = spec.RootElement.GetProperty("linux").GetProperty("seccomp");

        Assert.Equal("SCMP_ACT_ERRNO", seccomp.GetProperty("defaultAction").GetString());
        Assert.DoesNotContain(call, seccomp.GetProperty("syscalls").EnumerateArray().SelectMany(r => r.GetProperty("names").EnumerateArray()).Select(n => n.GetString()));
    }
}
