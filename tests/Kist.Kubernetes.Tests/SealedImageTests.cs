using Kist.Host;
using Kist.Oci;

namespace Kist.Kubernetes.Tests;

/// <summary>A sealed image runs in place of the pod's stand-in, if its owner says what it was made of.</summary>
public sealed class SealedImageTests
{
    [Fact]
    public async Task Generate_ConfigurationUnknown_IsRefusedWithTheRemedy()
    {
        var set = Manifest(out var review);
        await Assert.ThrowsAsync<Formats.OperationFailedException>(() => GenerateAsync(set, review, SealedImage));
        Assert.Contains(review.Remarks, p => p.Hint?.Contains("sealed:IMAGE=oci:", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Generate_ConfigurationGiven_PinsTheSealedImageAndAllowsTheDisk()
    {
        var set = Manifest(out var review);
        var pod = (await GenerateAsync(set, review, SealedImage with { Source = Digest.Parse(Pods.Digest) })).Single();
        var container = pod.Containers[^1];
        Assert.Equal(new PinnedSeal(0, ""), container.Seal);
        var trial = AgentPolicyTrial.Compile(pod.Policy);
        var honest = HonestCluster.CreateRequest(container, withOptional: true);
        Assert.True(honest.WritableOnDisk);
        Assert.True(trial.Create(honest).IsAllowed);
        Assert.False(trial.Create(honest with { Sealed = null }).IsAllowed);
    }

    private static ResolvedImage SealedImage => new(ImageReference.Parse("registry.example/sealed:v1"), Digest.Parse(Pods.Digest), Pods.ImageDefaults, 1, 1, 100)
    {
        SealedBlobs = [new Descriptor { MediaType = "application/octet-stream", Digest = Digest.Parse(Pods.Digest), Size = 4096 }],
    };

    private static ManifestSet Manifest(out ManifestReview review)
    {
        review = new ManifestReview();
        var set = new ManifestSet();
        set.Add(Pods.Pod(""), "pod.yaml", review);
        return set;
    }

    private static Task<IReadOnlyList<GeneratedPod>> GenerateAsync(ManifestSet set, ManifestReview review, ResolvedImage image) => ManifestGenerator.GenerateAsync(
        set, new GenerateOptions(), (_, _) => Task.FromResult(image), p => InitDataDocument.Compose(new Uri("https://broker.example"), "cert", p), review,
        TestContext.Current.CancellationToken);
}
