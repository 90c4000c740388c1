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

    private static async Task BuildAsync(TemporaryDirectory directory, LayerCompression compression)
    {
        ExternalProgram.Require("skopeo");
        SampleTree.Create(directory["tree"]);
        await ImageBuilder.BuildAsync(
            [directory["tree"]], new OciLayout(directory["plain"], "1"), new ImageBuildOptions { Compression = compression }, TestContext.Current.CancellationToken);
    }
}
