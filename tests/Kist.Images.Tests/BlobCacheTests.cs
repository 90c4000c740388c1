using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

public sealed class BlobCacheTests
{
    [Fact]
    public async Task GetAsync_Twice_FetchesOnce()
    {
        using var directory = new TemporaryDirectory();
        var source = new OneBlob(RandomNumberGenerator.GetBytes(100_000));
        var cache = new BlobCache(directory["cache"]);
        using var first = await cache.GetAsync(source, source.Blob, TestContext.Current.CancellationToken);
        using var second = await cache.GetAsync(source, source.Blob, TestContext.Current.CancellationToken);
        Assert.Equal(first.Path, second.Path);
        Assert.Equal(1, source.Opened);
        Assert.True(source.Blob.Digest.Matches(await File.ReadAllBytesAsync(first.Path, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task GetAsync_SourceLies_KeepsNothing()
    {
        using var directory = new TemporaryDirectory();
        var source = new OneBlob(new byte[1000]);
        var cache = new BlobCache(directory["cache"]);
        var wrong = source.Blob with { Digest = Digest.Of("other"u8) };
        await Assert.ThrowsAsync<ContentMismatchException>(() => cache.GetAsync(source, wrong, TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFiles(directory["cache"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Collect_BlobInUse_Stays()
    {
        using var directory = new TemporaryDirectory();
        var used = new OneBlob(RandomNumberGenerator.GetBytes(1000));
        var idle = new OneBlob(RandomNumberGenerator.GetBytes(1000));
        var cache = new BlobCache(directory["cache"]);
        using (var held = await cache.GetAsync(used, used.Blob, TestContext.Current.CancellationToken))
        {
            (await cache.GetAsync(idle, idle.Blob, TestContext.Current.CancellationToken)).Dispose();
            Assert.Equal(idle.Blob.Digest, Assert.Single(cache.Collect(0)).Digest);
            Assert.True(Assert.Single(cache.List()).IsInUse);
            Assert.True(File.Exists(held.Path));
        }

        Assert.Equal(used.Blob.Digest, Assert.Single(cache.Collect(0)).Digest);
        Assert.Empty(Directory.EnumerateFiles(directory["cache"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Collect_KeepSomeBytes_RemovesWhatWasUsedLongestAgo()
    {
        using var directory = new TemporaryDirectory();
        var cache = new BlobCache(directory["cache"]);
        var blobs = Enumerable.Range(0, 3).Select(_ => new OneBlob(RandomNumberGenerator.GetBytes(1000))).ToList();
        for (var i = 0; i < blobs.Count; i++)
        {
            using var held = await cache.GetAsync(blobs[i], blobs[i].Blob, TestContext.Current.CancellationToken);
            File.SetLastAccessTimeUtc(held.Path, new DateTime(2026, 1, 3 - i, 0, 0, 0, DateTimeKind.Utc));
        }

        Assert.Equal(blobs[2].Blob.Digest, Assert.Single(cache.Collect(2000)).Digest);
        Assert.Empty(cache.Collect(2000));
        Assert.Equal(2, cache.List().Count);
    }

    [Fact]
    public async Task Verify_ContentWasChanged_RemovesItUnlessInUse()
    {
        using var directory = new TemporaryDirectory();
        var cache = new BlobCache(directory["cache"]);
        var source = new OneBlob(RandomNumberGenerator.GetBytes(1000));
        using (var held = await cache.GetAsync(source, source.Blob, TestContext.Current.CancellationToken))
        {
            Assert.Empty(cache.Verify(TestContext.Current.CancellationToken));
            await File.WriteAllBytesAsync(held.Path + ".new", new byte[1000], TestContext.Current.CancellationToken);
            using (var file = File.OpenHandle(held.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
                RandomAccess.Write(file, new byte[10], 0);
            File.Delete(held.Path + ".new");
            Assert.False(Assert.Single(cache.Verify(TestContext.Current.CancellationToken)).Removed);
        }

        Assert.True(Assert.Single(cache.Verify(TestContext.Current.CancellationToken)).Removed);
        Assert.Empty(cache.List());
    }

    private sealed class OneBlob(byte[] content) : IImageSource
    {
        public int Opened { get; private set; }

        public Descriptor Blob { get; } = new() { MediaType = "x", Digest = Digest.Of(content), Size = content.Length };

        public string Location => "memory";

        public Task<ManifestContent> ResolveAsync(CancellationToken cancellationToken) => throw new OperationFailedException("open", "memory", "there is none");

        public Task<ManifestContent> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) => ResolveAsync(cancellationToken);

        public Task<Stream> OpenBlobAsync(Descriptor descriptor, CancellationToken cancellationToken)
        {
            Opened++;
            return Task.FromResult<Stream>(new VerifyingStream(new MemoryStream(content), descriptor, Location));
        }
    }
}
