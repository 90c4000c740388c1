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
            Assert.Equal(1000, cache.Collect(0));
            Assert.True(File.Exists(held.Path));
        }

        Assert.Equal(1000, cache.Collect(0));
        Assert.Empty(Directory.EnumerateFiles(directory["cache"], "*", SearchOption.AllDirectories));
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
