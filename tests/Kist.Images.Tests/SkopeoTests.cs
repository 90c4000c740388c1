using System.Security.Cryptography;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

/// <summary>Encryption proven against skopeo (Go ocicrypt), both ways.</summary>
public sealed class SkopeoTests
{
    [Theory]
    [InlineData("rsa", LayerCompression.Gzip)]
    [InlineData("ec", LayerCompression.Gzip)]
    [InlineData("rsa", LayerCompression.None)]
    [InlineData("ec", LayerCompression.Zstd)]
    public async Task Decrypt_EncryptedBySkopeo_UnpacksTheSameTree(string kind, LayerCompression compression)
    {
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory, compression);
        var (key, _) = Keys.Write(kind, directory["private.pem"], directory["public.pem"]);
        using (key)
        {
            ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", "--encryption-key", "jwe:" + directory["public.pem"], $"oci:{directory["plain"]}:1", $"oci:{directory["encrypted"]}:1"]);

            var pulled = await ImagePuller.PullAsync(
                new OciLayout(directory["encrypted"], "1"), [new JweKeyUnwrapper([key])], directory["out"], new PullOptions { RequireEncryption = true }, null,
                TestContext.Current.CancellationToken);

            Assert.Equal(SampleTree.Describe(directory["tree"]), SampleTree.Describe(pulled.RootFileSystem));
            Assert.Equal(1, pulled.EncryptedLayers);
        }
    }

    [Theory]
    [InlineData("rsa", LayerCompression.Gzip)]
    [InlineData("ec", LayerCompression.Gzip)]
    [InlineData("ec", LayerCompression.None)]
    public async Task Encrypt_DecryptedBySkopeo_HasTheSameLayers(string kind, LayerCompression compression)
    {
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory, compression);
        var (key, publicKey) = Keys.Write(kind, directory["private.pem"], directory["public.pem"]);
        var (other, otherPublic) = Keys.Write("rsa", directory["other.pem"], directory["other-public.pem"]);
        using (key)
        using (other)
        {
            // Two recipients, of which skopeo is given one, and a packet of the broker beside it.
            await new ImageEncryptor(
                new OciLayout(directory["plain"], "1"), new OciLayout(directory["encrypted"], "1"),
                [new JweKeyWrapper([otherPublic, publicKey]), new KeyPacketWrapper("kbs:///default/key/1", new byte[32])],
                new EncryptOptions()).EncryptAsync(TestContext.Current.CancellationToken);

            ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", "--decryption-key", directory["private.pem"], $"oci:{directory["encrypted"]}:1", $"oci:{directory["decrypted"]}:1"]);

            var expected = await ImageReader.ResolveManifestAsync(new OciLayout(directory["plain"], "1"), Platform.Current, TestContext.Current.CancellationToken);
            var actual = await ImageReader.ResolveManifestAsync(new OciLayout(directory["decrypted"], "1"), Platform.Current, TestContext.Current.CancellationToken);
            Assert.Equal(
                ImageManifest.Parse(expected.Bytes.Span).Layers.Select(l => l.Digest), ImageManifest.Parse(actual.Bytes.Span).Layers.Select(l => l.Digest));
        }
    }

    [Fact]
    public async Task Encrypt_IndexOfTwoPlatforms_SkopeoAndKistExchangeIt()
    {
        ExternalProgram.Require("skopeo");
        using var directory = new TemporaryDirectory();
        var (key, publicKey) = Keys.Write("ec", directory["private.pem"], directory["public.pem"]);
        using var scope = key;
        await BuildIndexAsync(directory);
        var result = await new ImageEncryptor(
            new OciLayout(directory["index"], "1"), new OciLayout(directory["encrypted"], "1"), [new JweKeyWrapper([publicKey])], new EncryptOptions())
            .EncryptAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["linux/amd64", "linux/arm64"], result.Images.Select(i => i.Platform));
        ExternalProgram.Run("skopeo", ["copy", "--all", "--insecure-policy", "--decryption-key", directory["private.pem"], $"oci:{directory["encrypted"]}:1", $"oci:{directory["decrypted"]}:1"]);
        ExternalProgram.Run("skopeo", ["copy", "--all", "--insecure-policy", "--encryption-key", "jwe:" + directory["public.pem"], $"oci:{directory["index"]}:1", $"oci:{directory["again"]}:1"]);
        foreach (var architecture in new[] { "amd64", "arm64" })
        {
            var platform = Platform.Parse("linux/" + architecture);
            var plain = await ImageReader.ResolveManifestAsync(new OciLayout(directory["index"], "1"), platform, TestContext.Current.CancellationToken);
            var decrypted = await ImageReader.ResolveManifestAsync(new OciLayout(directory["decrypted"], "1"), platform, TestContext.Current.CancellationToken);
            Assert.Equal(ImageManifest.Parse(plain.Bytes.Span).Layers[0].Digest, ImageManifest.Parse(decrypted.Bytes.Span).Layers[0].Digest);
            var pulled = await ImagePuller.PullAsync(
                new OciLayout(directory["again"], "1"), [new JweKeyUnwrapper([key])], directory[architecture], new PullOptions { Platform = platform, RequireEncryption = true }, null,
                TestContext.Current.CancellationToken);
            Assert.Equal(architecture, await File.ReadAllTextAsync(Path.Combine(pulled.RootFileSystem, "architecture"), TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Decrypt_WithAnotherKey_SaysThatItIsForSomebodyElse()
    {
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory, LayerCompression.Gzip);
        var (key, _) = Keys.Write("ec", directory["private.pem"], directory["public.pem"]);
        using (key)
        using (var wrong = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256))
        {
            ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", "--encryption-key", "jwe:" + directory["public.pem"], $"oci:{directory["plain"]}:1", $"oci:{directory["encrypted"]}:1"]);
            var error = await Assert.ThrowsAsync<OperationFailedException>(() => ImagePuller.PullAsync(
                new OciLayout(directory["encrypted"], "1"), [new JweKeyUnwrapper([wrong])], directory["out"], new PullOptions(), null,
                TestContext.Current.CancellationToken));
            Assert.Equal("unwrap layer key", error.Step);
            Assert.False(Directory.Exists(directory["out/rootfs"]));
        }
    }

    private static async Task BuildIndexAsync(TemporaryDirectory directory)
    {
        var manifests = new List<Descriptor>();
        var layout = new OciLayout(directory["index"], "1");
        foreach (var architecture in new[] { "amd64", "arm64" })
        {
            Directory.CreateDirectory(directory["tree-" + architecture]);
            await File.WriteAllTextAsync(directory[$"tree-{architecture}/architecture"], architecture);
            var platform = Platform.Parse("linux/" + architecture);
            var built = await ImageBuilder.BuildAsync([directory["tree-" + architecture]], layout, new ImageBuildOptions { Platform = platform }, TestContext.Current.CancellationToken);
            manifests.Add(built with { Platform = platform });
        }

        var index = new ImageIndex { MediaType = MediaTypes.Index, Manifests = manifests };
        await layout.PushManifestAsync(ManifestContent.Create(MediaTypes.Index, index.ToBytes()), isRoot: true, TestContext.Current.CancellationToken);
        await layout.CommitAsync(TestContext.Current.CancellationToken);
    }

    private static async Task BuildAsync(TemporaryDirectory directory, LayerCompression compression)
    {
        ExternalProgram.Require("skopeo");
        SampleTree.Create(directory["tree"]);
        await ImageBuilder.BuildAsync(
            [directory["tree"]], new OciLayout(directory["plain"], "1"), new ImageBuildOptions { Compression = compression }, TestContext.Current.CancellationToken);
    }
}
