using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

/// <summary>Blobs that come in pieces: each once, for all who ask, and whole only if the digest is right.</summary>
public sealed class LazyBlobTests : IDisposable
{
    private const int Length = 5 * LazyBlob.PieceBytes + 1000;

    private readonly TemporaryDirectory _directory = new();
    private readonly BlobCache _cache;

    public LazyBlobTests() => _cache = new BlobCache(_directory["cache"]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Read_Anywhere_FetchesThosePiecesOnce()
    {
        var source = new Ranges(RandomNumberGenerator.GetBytes(Length));
        using var first = _cache.OpenLazy(source, source.Blob);
        using var second = _cache.OpenLazy(source, source.Blob);
        var buffer = new byte[2000];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => first.ReadAsync(LazyBlob.PieceBytes - 1000, new byte[2000], Token)));
        await second.ReadAsync(LazyBlob.PieceBytes - 1000, buffer, Token);
        Assert.Equal(source.Content[(LazyBlob.PieceBytes - 1000)..(LazyBlob.PieceBytes + 1000)], buffer);
        Assert.Equal([0L, LazyBlob.PieceBytes], source.Asked.Order());
        await second.ReadAsync(Length - 10, buffer.AsMemory(0, 10), Token);
        Assert.Equal(source.Content[^10..], buffer[..10]);
    }

    [Fact]
    public async Task Fill_AfterReads_FetchesTheRestAndKeepsTheBlob()
    {
        var source = new Ranges(RandomNumberGenerator.GetBytes(Length));
        using (var lazy = _cache.OpenLazy(source, source.Blob))
        {
            await lazy.ReadAsync(0, new byte[1], Token);
            Assert.Null(_cache.TryOpen(source.Blob));
            await _cache.FillAsync(lazy, source.Blob, null, Token);
            await lazy.ReadAsync(0, new byte[Length], Token);
        }

        Assert.Equal(6, source.Asked.Count);
        using var whole = _cache.TryOpen(source.Blob)!;
        Assert.Equal(source.Content, await File.ReadAllBytesAsync(whole.Path, Token));
        Assert.Single(Directory.EnumerateFiles(_directory["cache"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Fill_RegistryLies_KeepsNothing()
    {
        var source = new Ranges(RandomNumberGenerator.GetBytes(Length));
        using (var lazy = _cache.OpenLazy(source, source.Blob))
        {
            source.Content[^1] ^= 1;
            await Assert.ThrowsAsync<ContentMismatchException>(() => _cache.FillAsync(lazy, source.Blob, null, Token));
        }

        Assert.Empty(Directory.EnumerateFiles(_directory["cache"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Read_RegistryFails_ThrowsAndTriesAgainLater()
    {
        var source = new Ranges(RandomNumberGenerator.GetBytes(Length)) { Fails = true };
        using var lazy = _cache.OpenLazy(source, source.Blob);
        await Assert.ThrowsAsync<OperationFailedException>(() => lazy.ReadAsync(0, new byte[1], Token));
        Assert.NotNull(lazy.Failure);
        source.Fails = false;
        await lazy.ReadAsync(0, new byte[1], Token);
    }

    [Fact]
    public async Task Open_AfterAnotherProcessEnded_HasItsPieces()
    {
        var source = new Ranges(RandomNumberGenerator.GetBytes(Length));
        using (var lazy = _cache.OpenLazy(source, source.Blob))
            await lazy.ReadAsync(0, new byte[1], Token);
        using var again = _cache.OpenLazy(source, source.Blob);
        await again.ReadAsync(0, new byte[1], Token);
        Assert.Single(source.Asked);
        Assert.Equal(0, again.FetchedBytes);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(Length, 1)]
    [InlineData(Length - 1, 2)]
    public async Task Read_OutsideTheBlob_Throws(long offset, int count)
    {
        var source = new Ranges(new byte[Length]);
        using var lazy = _cache.OpenLazy(source, source.Blob);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => lazy.ReadAsync(offset, new byte[count], Token));
    }

    private sealed class Ranges(byte[] content) : IRangeSource
    {
        private readonly Lock _lock = new();

        public byte[] Content => content;

        public Descriptor Blob { get; } = new() { MediaType = "x", Digest = Digest.Of(content), Size = content.Length };

        public List<long> Asked { get; } = [];

        public bool Fails { get; set; }

        public Task ReadRangeAsync(Descriptor descriptor, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (Fails)
                throw new OperationFailedException("pull blob", "memory", "it is down");
            lock (_lock)
                Asked.Add(offset);
            content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
            return Task.CompletedTask;
        }
    }
}
