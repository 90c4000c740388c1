using System.IO.Compression;
using System.Text;
using Kist.Formats;
using Kist.Host;
using Kist.Pods.Protocol.Agent;
using Kist.Shim.Bundles;
using Kist.Shim.Launching;

namespace Kist.Shim.Tests;

public sealed class BundleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-bundle-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("", "x1", TaskKind.Single)]
    [InlineData("\"io.kubernetes.cri.container-type\": \"sandbox\", \"io.kubernetes.cri.sandbox-id\": \"x1\"", "x1", TaskKind.Sandbox)]
    [InlineData("\"io.kubernetes.cri.container-type\": \"container\", \"io.kubernetes.cri.sandbox-id\": \"pod\"", "pod", TaskKind.Member)]
    public void Load_Annotations_SayWhatTheTaskIs(string annotations, string group, object kind)
    {
        var bundle = Load($"\"annotations\": {{{annotations}}}");

        Assert.Equal((group, (TaskKind)kind), (bundle.GroupId, bundle.Kind));
    }

    [Fact]
    public void InitData_OfAnnotation_IsTheDocument()
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
            gzip.Write("document"u8);
        var bundle = Load($"\"annotations\": {{\"{Annotations.InitData}\": \"{Convert.ToBase64String(compressed.ToArray())}\"}}");

        Assert.Equal("document", Encoding.UTF8.GetString(bundle.InitData()!));
        Assert.Null(Load("\"annotations\": {}").InitData());
    }

    [Theory]
    [InlineData("no base64!")]
    [InlineData("aGVsbG8=")]
    public void InitData_Malformed_IsRefused(string text) =>
        Assert.Throws<MalformedDataException>(() => Load($"\"annotations\": {{\"{Annotations.InitData}\": \"{text}\"}}").InitData());

    [Fact]
    public void InitData_LargerThanAGuestTakes_IsRefused()
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
            gzip.Write(new byte[(1 << 20) + 1]);

        Assert.Throws<MalformedDataException>(() => Load($"\"annotations\": {{\"{Annotations.InitData}\": \"{Convert.ToBase64String(compressed.ToArray())}\"}}").InitData());
    }

    [Fact]
    public void Load_NoSpecification_IsRefused()
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), "[]");

        Assert.Throws<MalformedDataException>(() => Bundle.Load("x1", _folder));
    }

    private static readonly Dictionary<string, long> NoDisks = [];

    [Fact]
    public void Mounts_OfEveryContainer_AreTheGuestsOwn() => Assert.Empty(VolumeRequests.Of(Load("""
        "mounts": [
          {"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
          {"destination": "/dev/shm", "type": "bind", "source": "/run/x/shm"}, {"destination": "/run", "type": "tmpfs", "source": "tmpfs"},
          {"destination": "/etc/resolv.conf", "type": "bind", "source": "/run/x/resolv.conf"}, {"destination": "/sys", "type": "sysfs", "source": "sysfs"}]
        """).Spec, NoDisks));

    [Fact]
    public void Mounts_OfTheHost_AreRefused() => Assert.Throws<OperationFailedException>(() => VolumeRequests.Of(Load(
        "\"mounts\": [{\"destination\": \"/host\", \"type\": \"bind\", \"source\": \"/etc\", \"options\": [\"rbind\"]}]").Spec, NoDisks).ToArray());

    [Fact]
    public void Mounts_OfKubelet_BecomeVolumes()
    {
        var volumes = Path.Combine(_folder, "volumes");
        var data = Path.Combine(volumes, "kubernetes.io~configmap", "settings");
        Directory.CreateDirectory(Path.Combine(data, "..2026"));
        File.WriteAllText(Path.Combine(data, "..2026", "a.conf"), "content");
        File.CreateSymbolicLink(Path.Combine(data, "..data"), "..2026");
        File.CreateSymbolicLink(Path.Combine(data, "a.conf"), "..data/a.conf");

        var made = VolumeRequests.Of(Load($$"""
            "mounts": [
              {"destination": "/etc/settings", "type": "bind", "source": "{{data}}", "options": ["rbind", "ro"]},
              {"destination": "/cache", "type": "bind", "source": "{{volumes}}/kubernetes.io~empty-dir/cache", "options": ["rbind", "rw"]},
              {"destination": "/big", "type": "bind", "source": "{{volumes}}/kubernetes.io~empty-dir/big", "options": ["rbind", "rw"]}]
            """).Spec, ScratchDiskNames.Read("big=67108864")).ToArray();

        Assert.Equal(("settings", "/etc/settings", true), (made[0].Name, made[0].MountPath, made[0].ReadOnly));
        var file = Assert.Single(made[0].Files.Files);
        Assert.Equal(("a.conf", "content"), (file.Path, file.Content.ToStringUtf8()));
        Assert.Equal(("cache", Volume.SourceOneofCase.Scratch, false), (made[1].Name, made[1].SourceCase, made[1].ReadOnly));
        Assert.Equal(new ScratchVolume(), made[1].Scratch);
        Assert.Equal(new ScratchVolume { SizeBytes = 64 << 20, Disk = ScratchDiskNames.SerialOf("big") }, made[2].Scratch);
    }

    [Fact]
    public void Limits_OfResources_AreTheAgents() => Assert.Equal(
        new ResourceLimits { MemoryBytes = 64 << 20, CpuMillis = 1500, CpuShares = 512, Pids = 100 },
        ContainerRequests.LimitsOf(RuntimeSpec.ParseResources("""{"memory":{"limit":67108864},"cpu":{"shares":512,"quota":150000,"period":100000},"pids":{"limit":100}}"""u8)));

    [Fact]
    public void Limits_ThatAreNone_AreZero() => Assert.Equal(
        new ResourceLimits(), ContainerRequests.LimitsOf(RuntimeSpec.ParseResources("""{"memory":{"limit":-1},"cpu":{"quota":-1},"pids":{"limit":0}}"""u8)));

    [Theory]
    [InlineData("/kubepods/pod1/abc", "/kubepods/pod1/abc")]
    [InlineData("kubepods-burstable-pod1.slice:cri-containerd:abc", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-abc.scope")]
    [InlineData("/kubepods/../../etc", null)]
    [InlineData("a/b.slice:c:d", null)]
    [InlineData("/", null)]
    [InlineData("", null)]
    public void Cgroup_PathOfEitherDriver_IsAFolder(string path, string? folder) => Assert.Equal(folder, SandboxCgroup.PathOf(path));

    private Bundle Load(string members)
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), $"{{\"ociVersion\": \"1.0.2\", {members}}}");
        return Bundle.Load("x1", _folder);
    }
}
