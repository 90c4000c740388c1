using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

public sealed class PullTests
{
    private static readonly PullOptions s_options = new();

    [Theory]
    [InlineData(LayerCompression.None)]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public async Task PullAsync_PlainImageInRegistry_UnpacksTheSameTree(LayerCompression compression)
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        SampleTree.Create(directory["tree"]);
        var reference = ImageReference.Parse($"{registry.Host}/test/sample:1");
        using (var repository = new RegistryRepository(reference, new RegistryOptions()))
            await ImageBuilder.BuildAsync([directory["tree"]], repository, new ImageBuildOptions { Compression = compression }, TestContext.Current.CancellationToken);

        var pulled = await ImagePuller.PullAsync(
            reference, new RegistryOptions(), new NoKeys(), directory["out"], s_options, null, TestContext.Current.CancellationToken);

        Assert.Equal(SampleTree.Describe(directory["tree"]), SampleTree.Describe(pulled.RootFileSystem));
        Assert.Equal(0, pulled.EncryptedLayers);
        Assert.False(Directory.Exists(directory["out/spool"]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6_000_000)]
    [InlineData(100_000_000)]
    public async Task PullAsync_LayersInMemoryOrFiles_UnpackTheSameTree(long memory)
    {
        using var directory = new TemporaryDirectory();
        SampleTree.Create(directory["tree"]);
        SampleTree.Create(directory["more"]);
        // Several pieces of a spool, and an end that fills none.
        await File.WriteAllBytesAsync(directory["more/large"], System.Security.Cryptography.RandomNumberGenerator.GetBytes(9_000_001), TestContext.Current.CancellationToken);
        await ImageBuilder.BuildAsync([directory["tree"], directory["more"]], new OciLayout(directory["image"], "1"), new ImageBuildOptions(), TestContext.Current.CancellationToken);

        var pulled = await ImagePuller.PullAsync(
            new OciLayout(directory["image"], "1"), [], directory["out"], s_options with { SpoolMemoryBytes = memory }, null, TestContext.Current.CancellationToken);

        Assert.Equal(SampleTree.Describe(directory["more"]), SampleTree.Describe(pulled.RootFileSystem));
    }
}

sealed class NoKeys : ILayerKeyProvider
{
    public Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken) =>
        throw new Kist.Formats.OperationFailedException("get key", keyId, "there is no such key");
}
