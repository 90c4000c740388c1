using Kist.Host;
using Kist.Images;
using Kist.Oci;
using Kist.Pods.Disks;

namespace Kist.EndToEnd;

/// <summary>The disks that images need, of those that are sealed.</summary>
sealed class SealedDisks : IAsyncDisposable
{
    private readonly List<ImageDisks> _images = [];

    public IReadOnlyList<GuestDisk> All => [.. _images.SelectMany(i => i.Disks).DistinctBy(d => d.Serial)];

    public static async Task<SealedDisks> OpenAsync(Installation installation, IEnumerable<string> images)
    {
        var cancel = TestContext.Current.CancellationToken;
        var (disks, options) = (new SealedDisks(), new RegistryOptions());
        foreach (var image in images)
        {
            var resolved = await ResolvedImage.ResolveAsync(ImageReference.Parse(image), options, cancel);
            disks._images.Add(await ImageDisks.PrepareAsync(new BlobCache(installation.State.ImageCache), [resolved], options, BlobFetch.Eager, cancel));
        }

        return disks;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var image in _images)
            await image.DisposeAsync();
    }
}
