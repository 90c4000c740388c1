using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Kist.Agent;
using Kist.Agent.Containers;
using Kist.Agent.GuestServices;
using Kist.Agent.Volumes;
using Kist.Formats;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Pods.Tests.Agent;

public sealed class VolumeTests : IDisposable
{
    private static readonly Caller Web = new("id", "web");

    private readonly string _folder = Directory.CreateTempSubdirectory("kist-volumes-").FullName;

    // Nothing here is sealed, so that nobody is asked.
    private readonly VolumeShelf _shelf = NewShelf();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static VolumeShelf NewShelf()
    {
        var desk = new ServiceDesk(new Kist.Agent.Guest(new ProgressLog()));
        var reaper = new Kist.Linux.Processes.ChildReaper();
        return new VolumeShelf(desk, new EncryptedScratch(reaper), new PersistentVolumes(desk, reaper));
    }

    [Fact]
    public async Task Files_AreWrittenWithTheirModes()
    {
        var bound = Assert.Single(await PrepareAsync(Files("conf", "/etc/conf", ("a", 0x124, "one"), ("sub/b", 0x1ed, "two"))));
        Assert.True(bound.ReadOnly);
        Assert.False(bound.MayExecute);
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(bound.Source, "a"), TestContext.Current.CancellationToken));
        Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(bound.Source, "sub", "b"), TestContext.Current.CancellationToken));
        Assert.Equal((UnixFileMode)0x124, File.GetUnixFileMode(Path.Combine(bound.Source, "a")));
    }

    [Fact]
    public async Task Volumes_ParentsComeFirst()
    {
        var bound = await PrepareAsync(Files("b", "/data/deep"), Files("a", "/data"));
        Assert.Equal(["/data", "/data/deep"], bound.Select(b => b.MountPath));
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("a/../../b")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("a\0b")]
    public Task Files_ThatLeaveTheVolume_AreRefused(string path) => RefusedAsync(Files("conf", "/etc/conf", (path, 0x1a4, "x")));

    [Fact]
    public async Task Files_TwiceOrOfStrangeModes_AreRefused()
    {
        await RefusedAsync(Files("conf", "/etc/conf", ("a", 0x1a4, "x"), ("a", 0x1a4, "y")));
        await RefusedAsync(Files("conf", "/etc/conf", ("a", 0x9ed, "set-user-id")));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/proc")]
    [InlineData("/proc/sys")]
    [InlineData("/sys")]
    [InlineData("/dev/x")]
    [InlineData("relative")]
    [InlineData("/a/../b")]
    [InlineData("/a//b")]
    [InlineData("/a/")]
    [InlineData("")]
    public Task MountPath_ThatReachesElsewhere_IsRefused(string path) => RefusedAsync(Files("conf", path));

    [Fact]
    public async Task Names_TwiceOrNoNames_AreRefused()
    {
        await RefusedAsync(Files("a", "/a"), Files("a", "/b"));
        await RefusedAsync(Files("a", "/a"), Files("b", "/a"));
        await RefusedAsync(Files("../a", "/a"));
        await RefusedAsync(new Volume { Name = "a", MountPath = "/a" });
    }

    [Fact]
    public void Spec_MountsVolumesAndHidesSealedText()
    {
        var plan = new ContainerPlan
        {
            Id = "id",
            Name = "web",
            RootFileSystem = "/r",
            Process = new ContainerProcess(["/bin/x"], ["A=b", "PASSWORD=sealed.x.y.z"], "/", "0"),
            User = new ContainerUser(0, 0, [], "/"),
            Hostname = "h",
            EtcFolder = "/e",
            Unsealed = new Dictionary<string, string> { ["PASSWORD=sealed.x.y.z"] = "PASSWORD=hunter2" },
            Volumes = [new BoundVolume("/run/kist/scratch/cache", "/cache", false, true), new BoundVolume("/run/kist/v", "/etc/v", true, false)],
        };
        var spec = Encoding.UTF8.GetString(RuntimeSpecWriter.Write(plan)).ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal);
        Assert.Contains("\"PASSWORD=hunter2\"", spec, StringComparison.Ordinal);
        Assert.DoesNotContain("sealed.", spec, StringComparison.Ordinal);
        Assert.Contains("""{"destination":"/cache","type":"bind","source":"/run/kist/scratch/cache","options":["rbind","rprivate","nosuid","nodev","rw"]}""", spec, StringComparison.Ordinal);
        Assert.Contains("""{"destination":"/etc/v","type":"bind","source":"/run/kist/v","options":["rbind","rprivate","nosuid","nodev","ro","noexec"]}""", spec, StringComparison.Ordinal);
    }

    [Fact]
    public void Input_OfFiles_HasTheDigestOfTheirContent()
    {
        var input = VolumeInput.Of(Files("conf", "/etc/conf", ("a", 0x1a4, "one")));
        Assert.Equal($"sha256:{Convert.ToHexStringLower(SHA256.HashData("one"u8))}", Assert.Single(input.Files).Digest);
        Assert.Equal("files", input.Kind);
    }

    private Task<IReadOnlyList<BoundVolume>> PrepareAsync(params Volume[] volumes) =>
        _shelf.PrepareAsync(Web, volumes, _folder, TestContext.Current.CancellationToken);

    private async Task RefusedAsync(params Volume[] volumes)
    {
        var e = await Assert.ThrowsAsync<AgentException>(() => PrepareAsync(volumes));
        Assert.Equal(FailureCode.InvalidRequest, e.Code);
    }

    private static Volume Files(string name, string path, params (string Path, uint Mode, string Text)[] files)
    {
        var volume = new Volume { Name = name, MountPath = path, ReadOnly = true, Files = new FilesVolume() };
        volume.Files.Files.AddRange(files.Select(f => new VolumeFile { Path = f.Path, Mode = f.Mode, Content = ByteString.CopyFromUtf8(f.Text) }));
        return volume;
    }
}
