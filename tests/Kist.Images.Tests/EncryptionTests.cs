using System.Security.Cryptography;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

public sealed class EncryptionTests
{
    private const string KeyId = "kbs:///default/image-key/1";
    private static readonly byte[] s_key = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public async Task Encrypt_ToRegistryWithBrokerKey_ProvesAndPulls()
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        var reference = ImageReference.Parse($"{registry.Host}/secret/app:1");
        using var repository = new RegistryRepository(reference, new RegistryOptions { UploadChunkBytes = 1 << 20 });
        var result = await EncryptAsync(directory, repository);
        var keys = new FixedKeyProvider(KeyId, s_key);

        await EncryptionProof.ProveAsync(repository, result, [new KeyPacketUnwrapper(keys)], TestContext.Current.CancellationToken);
        var pulled = await ImagePuller.PullAsync(
            reference, new RegistryOptions(), keys, directory["out"], new PullOptions { RequireEncryption = true }, null, TestContext.Current.CancellationToken);

        Assert.Equal(SampleTree.Describe(directory["tree"]), SampleTree.Describe(pulled.RootFileSystem));
        Assert.Equal(2, pulled.EncryptedLayers);
        Assert.Equal(result.Digest, pulled.ManifestDigest);
        Assert.All(result.Images[0].Layers, layer => Assert.True(layer.IsEncrypted));
    }

    [Fact]
    public async Task Encrypt_OnlyTopLayer_SaysWhichIsInClear()
    {
        using var directory = new TemporaryDirectory();
        var result = await EncryptAsync(directory, new OciLayout(directory["encrypted"], "1"), new EncryptOptions { OnlyLayers = [-1] });
        Assert.Equal([false, true], result.Images[0].Layers.Select(l => l.IsEncrypted));
        var error = await Assert.ThrowsAsync<OperationFailedException>(() => PullAsync(directory, new PullOptions { RequireEncryption = true }));
        Assert.Contains("1 of 2 layers are not encrypted", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Encrypt_EncryptedImage_IsRefused()
    {
        using var directory = new TemporaryDirectory();
        await EncryptAsync(directory, new OciLayout(directory["encrypted"], "1"));
        var encryptor = new ImageEncryptor(
            new OciLayout(directory["encrypted"], "1"), new OciLayout(directory["twice"], "1"), [new KeyPacketWrapper(KeyId, s_key)], new EncryptOptions());
        await Assert.ThrowsAsync<OperationFailedException>(() => encryptor.EncryptAsync(TestContext.Current.CancellationToken));
        Assert.False(File.Exists(directory["twice/index.json"]));
    }

    [Fact]
    public async Task Encrypt_EncryptedImageWithItsKey_GetsMoreRecipients_AndSkopeoIsOne()
    {
        ExternalProgram.Require("skopeo");
        using var directory = new TemporaryDirectory();
        await EncryptAsync(directory, new OciLayout(directory["encrypted"], "1"));
        using var first = RSA.Create(2048);
        using var second = RSA.Create(2048);
        var source = "encrypted";
        foreach (var (recipient, name) in new[] { (first, "more"), (second, "most") })
        {
            var options = new EncryptOptions { DecryptionKeys = [new KeyPacketUnwrapper(new FixedKeyProvider(KeyId, s_key))] };
            var result = await new ImageEncryptor(
                new OciLayout(directory[source], "1"), new OciLayout(directory[name], "1"),
                [new JweKeyWrapper([Kist.Formats.Jose.RsaJsonWebKey.FromPublicKey(recipient, null)])], options).EncryptAsync(TestContext.Current.CancellationToken);
            await EncryptionProof.ProveAsync(new OciLayout(directory[name], "1"), result, [new JweKeyUnwrapper([recipient])], TestContext.Current.CancellationToken);
            source = name;
        }

        // All who could open it still can.
        foreach (var key in new ILayerKeyUnwrapper[] { new KeyPacketUnwrapper(new FixedKeyProvider(KeyId, s_key)), new JweKeyUnwrapper([first]), new JweKeyUnwrapper([second]) })
        {
            var pulled = await ImagePuller.PullAsync(
                new OciLayout(directory["most"], "1"), [key], directory[$"out-{key.GetType().Name}-{key.GetHashCode()}"], new PullOptions(), null, TestContext.Current.CancellationToken);
            Assert.Equal(SampleTree.Describe(directory["tree"]), SampleTree.Describe(pulled.RootFileSystem));
        }

        foreach (var (recipient, name) in new[] { (first, "first"), (second, "second") })
        {
            await File.WriteAllTextAsync(directory[name + ".pem"], recipient.ExportRSAPrivateKeyPem(), TestContext.Current.CancellationToken);
            ExternalProgram.Run(
                "skopeo", ["copy", "--insecure-policy", "--decryption-key", directory[name + ".pem"], $"oci:{directory["most"]}:1", $"oci:{directory["by-skopeo-" + name]}:1"]);
        }
    }

    [Fact]
    public async Task Encrypt_EncryptedImageWithAnotherKey_IsRefused()
    {
        using var directory = new TemporaryDirectory();
        await EncryptAsync(directory, new OciLayout(directory["encrypted"], "1"));
        var encryptor = new ImageEncryptor(
            new OciLayout(directory["encrypted"], "1"), new OciLayout(directory["twice"], "1"), [new KeyPacketWrapper(KeyId, s_key)],
            new EncryptOptions { DecryptionKeys = [new KeyPacketUnwrapper(new FixedKeyProvider(KeyId, new byte[32]))] });
        await Assert.ThrowsAsync<OperationFailedException>(() => encryptor.EncryptAsync(TestContext.Current.CancellationToken));
        Assert.False(File.Exists(directory["twice/index.json"]));
    }

    [Fact]
    public async Task Pull_MissingKey_IsRefusedAndLeavesNothing()
    {
        using var directory = new TemporaryDirectory();
        await EncryptAsync(directory, new OciLayout(directory["encrypted"], "1"));
        var error = await Assert.ThrowsAsync<OperationFailedException>(() => PullAsync(directory, new PullOptions(), new NoKeys()));
        Assert.Contains("there is no such key", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory["out"]));
    }

    [Fact]
    public async Task Pull_AnotherKeyOfThatName_IsRefused()
    {
        using var directory = new TemporaryDirectory();
        await EncryptAsync(directory, new OciLayout(directory["encrypted"], "1"));
        var error = await Assert.ThrowsAsync<OperationFailedException>(
            () => PullAsync(directory, new PullOptions(), new FixedKeyProvider(KeyId, new byte[32])));
        Assert.Contains("does not open it", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Each attack changes a stored image whose manifest the attacker also controls; the key is not theirs.</summary>
    [Theory]
    [InlineData("flip a bit of a layer", "verify content")]
    [InlineData("flip a bit of a layer and fix its digest", "verify layer")]
    [InlineData("truncate a layer", "verify content")]
    [InlineData("lengthen a layer", "verify content")]
    [InlineData("change the HMAC", "verify layer")]
    [InlineData("swap two layers", "verify content")]
    [InlineData("put the layers' annotations on each other", "verify layer")]
    [InlineData("take the encryption's name off a layer", "layer")]
    [InlineData("put a nonce into the public options", "ocicrypt public options")]
    [InlineData("remove the public options", "encrypted layer")]
    [InlineData("double an annotation", "image manifest")]
    [InlineData("change the manifest", "verify content")]
    public async Task Pull_ChangedImage_IsRefusedAndLeavesNothing(string attack, string where)
    {
        using var directory = new TemporaryDirectory();
        await EncryptAsync(directory, new OciLayout(directory["encrypted"], "1"));
        ImageAttacks.Apply(attack, directory["encrypted"]);
        var error = await Assert.ThrowsAnyAsync<Exception>(() => PullAsync(directory, new PullOptions()));
        Assert.Equal(where, error switch
        {
            OperationFailedException e => e.Step,
            MalformedDataException e => e.Structure,
            _ => error.ToString(),
        });
        Assert.False(Directory.Exists(directory["out/rootfs"]));
    }

    [Fact]
    public void Unwrap_A256Ctr_IsRefusedUnlessAllowed()
    {
        var packet = new KeyPacket { Kid = KeyId, WrappedData = new byte[10], Iv = new byte[16], WrapType = KeyPacket.Ctr };
        Assert.Throws<OperationFailedException>(() => packet.Unwrap(s_key));
        Assert.Equal(10, packet.Unwrap(s_key, allowUnauthenticated: true).Length);
    }

    private static Task<PulledImage> PullAsync(TemporaryDirectory directory, PullOptions options, ILayerKeyProvider? keys = null) => ImagePuller.PullAsync(
        new OciLayout(directory["encrypted"], "1"), [new KeyPacketUnwrapper(keys ?? new FixedKeyProvider(KeyId, s_key))], directory["out"], options, null,
        TestContext.Current.CancellationToken);

    private static async Task<EncryptedImage> EncryptAsync(TemporaryDirectory directory, IImageDestination destination, EncryptOptions? options = null)
    {
        SampleTree.Create(directory["tree"]);
        Directory.CreateDirectory(directory["first/etc"]);
        File.WriteAllText(directory["first/etc/hello"], "an older file");
        var plain = new OciLayout(directory["plain"], "1");
        await ImageBuilder.BuildAsync([directory["first"], directory["tree"]], plain, new ImageBuildOptions(), TestContext.Current.CancellationToken);
        return await new ImageEncryptor(plain, destination, [new KeyPacketWrapper(KeyId, s_key)], options ?? new EncryptOptions())
            .EncryptAsync(TestContext.Current.CancellationToken);
    }
}
