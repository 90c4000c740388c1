using System.Net;
using Kist.Host;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Disks;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.EndToEnd;

/// <summary>
/// What a host can do with the disks of a sealed image, all in one guest: as many images as attacks, each pinned by the
/// policy, each with a disk that is not what its manifest says.
/// </summary>
public sealed class SealedAttackTests(Installation installation, SealedImages images, ITestOutputHelper output) : IClassFixture<SealedImages>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    /// <summary>The attack, and the code with which it is refused.</summary>
    private static readonly (string Attack, string Code)[] Attacks =
    [
        ("untouched", ""),
        ("first block", FailureCode.ImageRefused),
        ("verity tree", FailureCode.ImageRefused),
        ("verity superblock", ""), // the guest does not read it
        ("truncated", FailureCode.ImageRefused),
        ("another image's disk", FailureCode.ImageRefused),
        ("blocks in another order", FailureCode.ImageRefused),
        ("no disk", FailureCode.ImagePull),
    ];

    [Fact]
    public async Task Mount_DiskIsNotWhatTheManifestSays_IsRefused()
    {
        installation.Require();
        var folder = Directory.CreateTempSubdirectory("kist-e2e-disks-").FullName;
        try
        {
            var sealedImages = new List<SealedImageFacts>();
            var disks = new List<GuestDisk>();
            for (var i = 0; i < Attacks.Length; i++)
            {
                var image = await images.SealAsync($"attack{i}", [.. images.ForAnyGuest()]);
                sealedImages.Add(image);
                var blob = await ReadBlobAsync(image);
                if (Attacks[i].Attack == "no disk")
                    continue;
                var changed = Change(Attacks[i].Attack, blob, i > 0 ? await ReadBlobAsync(sealedImages[0]) : blob);
                var path = Path.Combine(folder, $"{i}");
                await File.WriteAllBytesAsync(path, changed, Cancel);
                disks.Add(new FileDisk(image.Blob.Hex[..20], path));
            }

            await using var pod = await LaunchAsync(sealedImages, disks);
            for (var i = 0; i < Attacks.Length; i++)
                await CreateAsync(pod, sealedImages[i], $"c{i}", Attacks[i]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Change(string attack, byte[] blob, byte[] other)
    {
        // One data block of 4096 bytes more than 128 of them share a hash block; the superblock lies between data and tree.
        var changed = (byte[])blob.Clone();
        var superblock = IndexOfSuperblock(blob);
        switch (attack)
        {
            case "first block":
                changed[1024] ^= 1;
                break;
            case "verity tree":
                changed[superblock + 4096] ^= 1;
                break;
            case "verity superblock":
                changed[superblock + 100] ^= 1;
                break;
            case "truncated":
                return changed[..(superblock + 4096)];
            case "another image's disk":
                return other;
            case "blocks in another order":
                blob.AsSpan(0, 4096).CopyTo(changed.AsSpan(4096));
                blob.AsSpan(4096, 4096).CopyTo(changed);
                break;
        }

        return changed;
    }

    private static int IndexOfSuperblock(byte[] blob)
    {
        for (var i = 0; i < blob.Length; i += 4096)
        {
            if (blob.AsSpan(i).StartsWith("verity\0\0"u8))
                return i;
        }

        throw new InvalidOperationException("a blob has no verity superblock");
    }

    private async Task CreateAsync(RunningPod pod, SealedImageFacts image, string id, (string Attack, string Code) attack)
    {
        var request = new CreateContainerRequest { ContainerId = id, Image = InGuest(image), InsecureRegistry = true };
        if (attack.Code.Length == 0)
        {
            await pod.Agent.CreateContainerAsync(request, TimeSpan.FromMinutes(2), Cancel);
            await pod.Agent.StartContainerAsync(id, Cancel);
            Assert.Equal(0, (await pod.Agent.WaitProcessAsync(id, Cancel)).ExitCode);
            await pod.Agent.RemoveContainerAsync(id, Cancel);
            output.WriteLine($"{attack.Attack} | runs");
            return;
        }

        var failure = await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.CreateContainerAsync(request, TimeSpan.FromMinutes(2), Cancel));
        output.WriteLine($"{attack.Attack} | {failure.Code} | {failure.Message} | {failure.Hint}");
        Assert.Equal(attack.Code, failure.Code);
    }

    private async Task<RunningPod> LaunchAsync(IReadOnlyList<SealedImageFacts> sealedImages, IReadOnlyList<GuestDisk> disks)
    {
        using var guest = GuestImage.Load(installation.State.Guest);
        var endpoints = installation.Endpoints;
        var policy = WorkloadPolicy.Write([.. sealedImages.Select((image, i) => new PinnedContainer
        {
            Name = $"c{i}",
            Reference = InGuest(image),
            ManifestDigest = image.Digest.ToString(),
            Encrypted = true,
            Overrides = new ProcessOverrides(null, [], [], "", ""),
        })]);
        var spec = new PodSpec
        {
            Guest = guest,
            InitData = InitDataDocument.Compose(endpoints.BrokerFromGuest, endpoints.BrokerCertificate, policy).Bytes,
            MemoryMebibytes = 256,
            Doors = [Door(new IPEndPoint(IPAddress.Loopback, endpoints.Broker.Port)), Door(IPEndPoint.Parse(endpoints.Registry))],
            Disks = disks,
        };
        await BrokerRegistrar.Connect(endpoints).RegisterAsync(
            "sealed-attacks", Measurement.LaunchPredictor.Predict(PodLauncher.Inputs(spec)).ToReferenceValues(), Cancel);
        var platform = new SimulatedTrustPlatform(new SimulatorStore(installation.State).LoadOrCreateVendor());
        return await new PodLauncher(platform, TimeProvider.System).LaunchAsync(spec, cancellationToken: Cancel);
    }

    private string InGuest(SealedImageFacts image) =>
        $"{GuestNetwork.Address}:{IPEndPoint.Parse(installation.Endpoints.Registry).Port}/sealed@{image.Digest}";

    private static GuestDoor Door(IPEndPoint service) => new(service.Port, service);

    private async Task<byte[]> ReadBlobAsync(SealedImageFacts image)
    {
        using var http = new HttpClient();
        return await http.GetByteArrayAsync($"http://{installation.Endpoints.Registry}/v2/sealed/blobs/{image.Blob}", Cancel);
    }
}
