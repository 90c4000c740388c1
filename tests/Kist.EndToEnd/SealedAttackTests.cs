using System.Net;
using System.Text;
using Kist.Host;
using Kist.Images;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Disks;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.EndToEnd;

/// <summary>
/// What a host can do with the disks and the registry of a sealed image, all in one guest: as many images as attacks, each
/// pinned by the policy, each with something that is not what its manifest says.
/// </summary>
public sealed class SealedAttackTests(Installation installation, SealedImages images, ITestOutputHelper output) : IClassFixture<SealedImages>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    /// <summary>The attack on one disk, and the code with which it is refused.</summary>
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
    public async Task Mount_SomethingIsNotWhatTheManifestSays_IsRefused()
    {
        installation.Require();
        var folder = Directory.CreateTempSubdirectory("kist-e2e-disks-").FullName;
        await using var hostile = new HostileBlobs(installation.Endpoints.Registry);
        var attacked = new List<AttackedImage>();
        try
        {
            await AddDisksAsync(attacked, folder);
            attacked.Add(await RolledBackAsync(folder));
            attacked.Add(await AnotherKeyAsync());
            attacked.Add(await ChangedDocumentAsync("changed manifest", "envelope", e => e.Replace("\"ciphertext\":\"", "\"ciphertext\":\"AAAA", StringComparison.Ordinal)));
            attacked.Add(await ChangedDocumentAsync("renamed key", "kid", e => e.Replace("image-key/kid", "image-key/attack0", StringComparison.Ordinal)));
            if (Environment.UserName == "root")
            {
                var layers = await images.SealVersionAsync("stacked", "stacked", "v2", ["--per-layer", .. images.ForAnyGuest()]);
                attacked.Add(await StackAsync("layers in their order", "", layers, folder, [0, 1]));
                var swapped = await images.SealVersionAsync("swapped", "swapped", "v2", ["--per-layer", .. images.ForAnyGuest()]);
                attacked.Add(await StackAsync("layers swapped", FailureCode.ImageRefused, swapped, folder, [1, 0]));
                attacked.Add(await ReorderedAsync());
            }

            // The host itself is honest here and lazy: the registry is not.
            var lazy = new List<(ImageDisks Disks, HostileBlobs.Mode Mode)>();
            foreach (var mode in Enum.GetValues<HostileBlobs.Mode>())
                attacked.Add(await FetchedAsync(hostile, mode, folder, lazy));

            await using (var pod = await LaunchAsync(attacked))
            {
                foreach (var image in attacked)
                    await CreateAsync(pod, image);
            }

            foreach (var (disks, mode) in lazy)
            {
                // What is served wrong, but served, is not the host's to notice.
                Assert.Equal(mode is HostileBlobs.Mode.Honest or HostileBlobs.Mode.OtherBytes or HostileBlobs.Mode.Endless, disks.Failure is null);
                await disks.DisposeAsync();
            }

            Assert.Equal(0, hostile.StrayConnections);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task AddDisksAsync(List<AttackedImage> attacked, string folder)
    {
        byte[]? first = null;
        for (var i = 0; i < Attacks.Length; i++)
        {
            var (attack, code) = Attacks[i];
            var image = await images.SealAsync($"attack{i}", [.. images.ForAnyGuest()]);
            var blob = await ReadBlobAsync(image.Blob);
            first ??= blob;
            attacked.Add(new AttackedImage(attack, code, image.Digest, attack == "no disk" ? [] : [await DiskAsync(folder, image.Blob, Change(attack, blob, first))]));
        }
    }

    /// <summary>The disk of an older release under the name of the newer one's: same key, right in itself.</summary>
    private async Task<AttackedImage> RolledBackAsync(string folder)
    {
        var key = Path.Combine(folder, "key");
        var old = await images.SealVersionAsync("release1", "release", "v1", ["--key-file", key, .. images.ForAnyGuest()]);
        var current = await images.SealVersionAsync("release2", "release", "v2", ["--key-file", key, .. images.ForAnyGuest()]);
        return new AttackedImage("rolled back to an older release", FailureCode.ImageRefused, current.Digest, [await DiskAsync(folder, current.Blob, await ReadBlobAsync(old.Blob))]);
    }

    /// <summary>The broker has another image's key under this one's name.</summary>
    private async Task<AttackedImage> AnotherKeyAsync()
    {
        var image = await images.SealAsync("rekeyed", [.. images.ForAnyGuest()]);
        var path = Path.GetTempFileName();
        await File.WriteAllBytesAsync(path, System.Security.Cryptography.RandomNumberGenerator.GetBytes(32), Cancel);
        await installation.MustAsync("secret", "put", "kbs:///default/image-key/rekeyed", path);
        File.Delete(path);
        return new AttackedImage("another image's key", FailureCode.ImageRefused, image.Digest, []);
    }

    /// <summary>An artifact whose envelope was changed, and whose digest the policy pins: only the encryption stands against it.</summary>
    private async Task<AttackedImage> ChangedDocumentAsync(string attack, string tag, Func<string, string> change)
    {
        var image = await images.SealAsync(tag, [.. images.ForAnyGuest()]);
        using var repository = Open(image);
        var manifest = await ReadManifestAsync(repository);
        var envelope = Encoding.UTF8.GetString(await ReadBlobAsync(manifest.Config.Digest));
        var changed = Encoding.UTF8.GetBytes(change(envelope));
        Assert.NotEqual(envelope, Encoding.UTF8.GetString(changed));
        var config = manifest.Config with { Digest = Digest.Of(changed), Size = changed.Length };
        await repository.PushBlobAsync(config, _ => Task.FromResult<Stream>(new MemoryStream(changed)), Cancel);
        return new AttackedImage(attack, FailureCode.ImageRefused, await PushAsync(repository, manifest with { Config = config }), []);
    }

    /// <summary>The artifact's blobs in another order than the encrypted manifest says.</summary>
    private async Task<AttackedImage> ReorderedAsync()
    {
        var image = await images.SealVersionAsync("reordered", "reordered", "v2", ["--per-layer", .. images.ForAnyGuest()]);
        using var repository = Open(image);
        var manifest = await ReadManifestAsync(repository);
        return new AttackedImage("layers reordered in the artifact", FailureCode.ImageRefused, await PushAsync(repository, manifest with { Layers = [.. manifest.Layers.Reverse()] }), []);
    }

    private async Task<AttackedImage> StackAsync(string attack, string code, SealedImageFacts image, string folder, int[] order)
    {
        Assert.Equal(order.Length, image.Blobs.Count);
        var disks = new List<GuestDisk>();
        for (var i = 0; i < order.Length; i++)
            disks.Add(await DiskAsync(folder, image.Blobs[i], await ReadBlobAsync(image.Blobs[order[i]])));
        return new AttackedImage(attack, code, image.Digest, disks);
    }

    private async Task<AttackedImage> FetchedAsync(HostileBlobs hostile, HostileBlobs.Mode mode, string folder, List<(ImageDisks, HostileBlobs.Mode)> opened)
    {
        var image = await images.SealAsync($"fetched{(int)mode}", [.. images.ForAnyGuest()]);
        hostile.Answer(image.Blob, mode);
        var reference = ImageReference.Parse($"{hostile.Authority}/sealed@{image.Digest}");
        var options = new RegistryOptions { MaxAttempts = 1, StallTimeout = TimeSpan.FromSeconds(5), ResponseTimeout = TimeSpan.FromSeconds(5) };
        var disks = await ImageDisks.PrepareAsync(
            new BlobCache(Path.Combine(folder, "cache")), [await ResolvedImage.ResolveAsync(reference, options, Cancel)], options, BlobFetch.Lazy, Cancel);
        opened.Add((disks, mode));
        return new AttackedImage($"registry: {mode}", mode == HostileBlobs.Mode.Honest ? "" : FailureCode.ImageRefused, image.Digest, disks.Disks);
    }

    private static async Task<GuestDisk> DiskAsync(string folder, Digest blob, byte[] content)
    {
        var path = Path.Combine(folder, blob.Hex);
        await File.WriteAllBytesAsync(path, content, Cancel);
        return new FileDisk(blob.Hex[..20], path);
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

    private async Task CreateAsync(RunningPod pod, AttackedImage image)
    {
        var id = image.Id;
        var request = new CreateContainerRequest { ContainerId = id, Image = InGuest(image.Digest), InsecureRegistry = true };
        if (image.Code.Length == 0)
        {
            await pod.Agent.CreateContainerAsync(request, TimeSpan.FromMinutes(2), Cancel);
            await pod.Agent.StartContainerAsync(id, Cancel);
            Assert.Equal(0, (await pod.Agent.WaitProcessAsync(id, Cancel)).ExitCode);
            await pod.Agent.RemoveContainerAsync(id, Cancel);
            output.WriteLine($"{image.Attack} | runs");
            return;
        }

        var failure = await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.CreateContainerAsync(request, TimeSpan.FromMinutes(2), Cancel));
        output.WriteLine($"{image.Attack} | {failure.Code} | {failure.Message} | {failure.Hint}");
        Assert.True(image.Code == failure.Code, $"{image.Attack}: {failure.Code}, {failure.Message}");
    }

    private async Task<RunningPod> LaunchAsync(IReadOnlyList<AttackedImage> attacked)
    {
        using var guest = GuestImage.Load(installation.State.Guest);
        var endpoints = installation.Endpoints;
        var policy = WorkloadPolicy.Write([.. attacked.Select(image => new PinnedContainer
        {
            Name = image.Id,
            Reference = InGuest(image.Digest),
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
            Disks = [.. attacked.SelectMany(a => a.Disks)],
        };
        await BrokerRegistrar.Connect(endpoints).RegisterAsync(
            "sealed-attacks", Measurement.LaunchPredictor.Predict(PodLauncher.Inputs(spec)).ToReferenceValues(), Cancel);
        var platform = new SimulatedTrustPlatform(new SimulatorStore(installation.State).LoadOrCreateVendor());
        return await new PodLauncher(platform, TimeProvider.System).LaunchAsync(spec, cancellationToken: Cancel);
    }

    private static RegistryRepository Open(SealedImageFacts image) => new(ImageReference.Parse(image.Image), new RegistryOptions());

    private static async Task<ImageManifest> ReadManifestAsync(RegistryRepository repository) => ImageManifest.Parse((await repository.ResolveAsync(Cancel)).Bytes.Span);

    private static async Task<Digest> PushAsync(RegistryRepository repository, ImageManifest manifest)
    {
        var content = ManifestContent.Create(manifest.MediaType!, manifest.ToBytes());
        await repository.PutManifestAsync(content, content.Digest.ToString(), Cancel);
        return content.Digest;
    }

    private string InGuest(Digest digest) => $"{GuestNetwork.Address}:{IPEndPoint.Parse(installation.Endpoints.Registry).Port}/sealed@{digest}";

    private static GuestDoor Door(IPEndPoint service) => new(service.Port, service);

    private async Task<byte[]> ReadBlobAsync(Digest blob)
    {
        using var http = new HttpClient();
        return await http.GetByteArrayAsync($"http://{installation.Endpoints.Registry}/v2/sealed/blobs/{blob}", Cancel);
    }

    /// <param name="Attack">What was done.</param>
    /// <param name="Code">How it is refused; empty if it must run.</param>
    /// <param name="Digest">The artifact.</param>
    /// <param name="Disks">What the host attaches.</param>
    private sealed record AttackedImage(string Attack, string Code, Digest Digest, IReadOnlyList<GuestDisk> Disks)
    {
        public string Id => new([.. Attack.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-')]);
    }
}
