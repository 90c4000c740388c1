using System.Security.Cryptography;
using Kist.Host;
using Kist.Pods;
using Kist.Pods.Disks;
using Kist.Pods.Guest;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.EndToEnd;

/// <summary>Volumes that outlive the guest: what the host can do to them, and what the guest notices.</summary>
public sealed class BlockVolumeTests(Installation installation) : IDisposable
{
    private const long Size = 48 << 20;
    private const string KeyA = "kbs:///default/volume/a", KeyB = "kbs:///default/volume/b";

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-e2e-block-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Volume_OutlivesItsGuest_AndWhatTheHostDoesToItIsNoticedOrSaid()
    {
        await PutKeyAsync(KeyA);
        await PutKeyAsync(KeyB);
        Create("a");
        Create("b");

        // A new volume is formatted because its owner says so.
        await RunAsync(":format", "echo first > /a/x; dd if=/dev/urandom of=/b/big bs=1M count=12 2>/dev/null; echo written", "written\n");
        Assert.DoesNotContain("first", await File.ReadAllTextAsync(At("a"), System.Text.Encoding.Latin1, Cancel), StringComparison.Ordinal);
        File.Copy(At("a"), At("a.old"));
        await RunAsync("", "cat /a/x; echo second > /a/x; wc -c < /b/big", "first\n12582912\n");

        // Put back as a whole, it is the volume's own past, which nothing in a guest can tell from the present: a limit.
        // A byte changed in every block is told where it is read.
        File.Copy(At("a.old"), At("a"), overwrite: true);
        Tamper(At("b"));
        await RunAsync("", "cat /a/x; cat /b/big > /dev/null 2>&1 || echo refused", "first\nrefused\n", mayRefuse: true);

        await AttackAsync();
    }

    /// <summary>One guest, and a host that attaches one disk after the other in the place of the volume.</summary>
    private async Task AttackAsync()
    {
        Create("empty");
        using var guest = GuestImage.Load(installation.State.Guest);
        var request = new RunRequest
        {
            Image = installation.Image,
            Arguments = ["sleep", "1000"],
            Volumes = [new RunVolume(RunVolumeKind.Block, At("a"), "/a", 0) { Key = KeyA }],
        };
        var plan = await WorkloadPlan.MakeAsync(request, guest, installation.Endpoints, Cancel);
        await BrokerRegistrar.Connect(installation.Endpoints).RegisterAsync("volume-attack", plan.Predict(), Cancel);
        var platform = new SimulatedTrustPlatform(new SimulatorStore(installation.State).LoadOrCreateVendor());
        await using var pod = await new PodLauncher(platform, TimeProvider.System).LaunchAsync(
            plan.Spec with { Disks = [new VolumeDisk("empty", At("empty")), new VolumeDisk("swapped", At("b")), new VolumeDisk("own", At("a"))] }, cancellationToken: Cancel);

        Assert.Equal(FailureCode.VolumeRefused, await RefusalAsync(b => b.Disk = "empty"));
        Assert.Equal(FailureCode.VolumeRefused, await RefusalAsync(b => b.Disk = "swapped"));
        Assert.Equal(FailureCode.PolicyDenied, await RefusalAsync(b => b.Format = true));
        Assert.Equal(FailureCode.PolicyDenied, await RefusalAsync(b => b.Key = KeyB));
        await pod.Agent.CreateContainerAsync(Request(b => b.Disk = "own"), TimeSpan.FromMinutes(2), Cancel);

        CreateContainerRequest Request(Action<BlockVolume> change)
        {
            var create = plan.ToCreateRequest();
            create.Volumes[0].Block.Disk = "own";
            change(create.Volumes[0].Block);
            return create;
        }

        async Task<string> RefusalAsync(Action<BlockVolume> change) =>
            HostilePod.CodeOf(await Assert.ThrowsAnyAsync<Kist.Formats.OperationFailedException>(() => pod.Agent.CreateContainerAsync(Request(change), TimeSpan.FromMinutes(2), Cancel)));
    }

    private async Task RunAsync(string suffix, string script, string expected, bool mayRefuse = false)
    {
        var result = await installation.Require().Kist.RunAsync(
            "run", "--rm", "--block", $"{At("a")}:/a:{KeyA}{suffix}", "--block", $"{At("b")}:/b:{KeyB}{suffix}", installation.Image, "sh", "-c", script);
        // Where a block of the file system's own was changed, the volume is refused before anything runs.
        if (mayRefuse && result.ExitCode == 125 && result.Stderr.Contains("does not hold this volume", StringComparison.Ordinal))
            return;
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(expected, result.Stdout);
    }

    private async Task PutKeyAsync(string uri)
    {
        await File.WriteAllBytesAsync(At("key"), RandomNumberGenerator.GetBytes(32), Cancel);
        await installation.Require().MustAsync("secret", "put", uri, At("key"));
    }

    /// <summary>Changes a byte in every block of the disk's second half: the first holds superblocks, the journal and inodes.</summary>
    private static void Tamper(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var one = new byte[1];
        for (var at = Size / 2; at < Size; at += 4096)
        {
            RandomAccess.Read(file, one, at + 100);
            one[0] ^= 1;
            RandomAccess.Write(file, one, at + 100);
        }
    }

    private void Create(string name)
    {
        using var file = File.Create(At(name));
        file.SetLength(Size);
    }

    private string At(string name) => Path.Combine(_folder, name);
}
