using System.Security.Cryptography;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Oci.Tests;

/// <summary>The client against Debian's docker-registry and other programs' images.</summary>
public sealed class RegistryTests
{
    [Fact]
    public async Task Push_InChunksAndAtOnce_ReadsBackAndRanges()
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/a/b:1"), new RegistryOptions { UploadChunkBytes = 100_000 });
        foreach (var size in new[] { 0, 1, 99_999, 100_000, 100_001, 345_678 })
        {
            var content = RandomNumberGenerator.GetBytes(size);
            var blob = new Descriptor { MediaType = MediaTypes.Layer, Digest = Digest.Of(content), Size = size };
            Assert.Equal(size == 0, size == 0 || await repository.HasBlobAsync(blob, TestContext.Current.CancellationToken));
            await repository.PushBlobAsync(blob, _ => Task.FromResult<Stream>(new MemoryStream(content)), TestContext.Current.CancellationToken);
            Assert.True(await repository.HasBlobAsync(blob, TestContext.Current.CancellationToken));
            await using var stream = await repository.OpenBlobAsync(blob, TestContext.Current.CancellationToken);
            using var read = new MemoryStream();
            await stream.CopyToAsync(read, TestContext.Current.CancellationToken);
            Assert.Equal(content, read.ToArray());
            if (size > 100)
            {
                var part = new byte[50];
                await repository.ReadRangeAsync(blob, 17, part, TestContext.Current.CancellationToken);
                Assert.Equal(content[17..67], part);
            }
        }
    }

    [Fact]
    public async Task Mount_FromAnotherRepository_NeedsNoUpload()
    {
        await using var registry = await LocalRegistry.StartAsync();
        var content = RandomNumberGenerator.GetBytes(1000);
        var blob = new Descriptor { MediaType = MediaTypes.Layer, Digest = Digest.Of(content), Size = content.Length };
        using var from = new RegistryRepository(ImageReference.Parse($"{registry.Host}/from:1"), new RegistryOptions());
        using var to = new RegistryRepository(ImageReference.Parse($"{registry.Host}/to:1"), new RegistryOptions());
        Assert.False(await to.TryMountAsync(blob, "from", TestContext.Current.CancellationToken));
        await from.PushBlobAsync(blob, _ => Task.FromResult<Stream>(new MemoryStream(content)), TestContext.Current.CancellationToken);
        Assert.True(await to.TryMountAsync(blob, "from", TestContext.Current.CancellationToken));
        Assert.True(await to.HasBlobAsync(blob, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Copy_BetweenSkopeoAndKist_KeepsEveryDigest()
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory);
        ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", "--dest-tls-verify=false", $"oci:{directory["plain"]}:1", $"docker://{registry.Host}/by-skopeo:1"]);

        using var source = new RegistryRepository(ImageReference.Parse($"{registry.Host}/by-skopeo:1"), new RegistryOptions());
        using var destination = new RegistryRepository(ImageReference.Parse($"{registry.Host}/by-kist:2"), new RegistryOptions());
        var copied = await ImageCopier.CopyAsync(source, destination, null, TestContext.Current.CancellationToken);

        Assert.Equal(["2"], await destination.ListTagsAsync(TestContext.Current.CancellationToken));
        Assert.Equal(
            copied.Digest.ToString(),
            ExternalProgram.Run("skopeo", ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", $"docker://{registry.Host}/by-kist:2"]).Trim());
        ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", "--src-tls-verify=false", $"docker://{registry.Host}/by-kist:2", $"oci:{directory["again"]}:1"]);
    }

    [Theory]
    [InlineData("docker-archive")]
    [InlineData("v2s2")]
    public async Task Copy_OfDockersFormats_HasTheSameLayers(string form)
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory);
        var name = $"{registry.Host}/docker:1";
        string source;
        if (form == "docker-archive")
        {
            ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", $"oci:{directory["plain"]}:1", $"docker-archive:{directory["a.tar"]}:{name}"]);
            source = $"docker-archive:{directory["a.tar"]}:{name}";
        }
        else
        {
            ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", "--dest-tls-verify=false", "--format", "v2s2", $"oci:{directory["plain"]}:1", $"docker://{name}"]);
            source = name;
        }

        var from = ImageLocation.OpenSource(source, new RegistryOptions());
        using var scope = from as IDisposable;
        var manifest = ImageManifest.Parse((await ImageReader.ResolveManifestAsync(from, Platform.Current, TestContext.Current.CancellationToken)).Bytes.Span);
        var (configuration, _) = await ImageReader.ReadConfigurationAsync(from, manifest, TestContext.Current.CancellationToken);
        Directory.CreateDirectory(directory["root"]);
        using var extractor = new LayerExtractor(directory["root"], new ExtractionOptions());
        await using (var layer = await from.OpenBlobAsync(manifest.Layers[0], TestContext.Current.CancellationToken))
        {
            LayerApplier.Apply(
                layer, manifest.Layers[0].Size, MediaTypes.CompressionOf(manifest.Layers[0].MediaType)!.Value, configuration.Rootfs.DiffIds[0], extractor,
                new LayerLimits(), TestContext.Current.CancellationToken);
        }

        Assert.Equal("hello", await File.ReadAllTextAsync(directory["root/etc/hello"], TestContext.Current.CancellationToken));
        var copied = await ImageCopier.CopyAsync(from, new OciLayout(directory["copy"], "1"), null, TestContext.Current.CancellationToken);
        if (copied.MediaType != MediaTypes.Manifest)
            return; // umoci does not read Docker's manifests.
        ExternalProgram.Run("umoci", ["unpack", "--rootless", "--image", directory["copy"] + ":1", directory["bundle"]]);
        Assert.Equal("hello", await File.ReadAllTextAsync(directory["bundle/rootfs/etc/hello"], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    [InlineData(LayerCompression.None)]
    public async Task DockerArchive_WrittenHere_IsReadBySkopeo(LayerCompression compression)
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["tree/etc"]);
        await File.WriteAllTextAsync(directory["tree/etc/hello"], "hello", TestContext.Current.CancellationToken);
        var source = new OciLayout(directory["plain"], "1");
        await ImageBuilder.BuildAsync([directory["tree"]], source, new ImageBuildOptions { Compression = compression }, TestContext.Current.CancellationToken);
        using (var archive = (DockerArchiveWriter)ImageLocation.OpenDestination($"docker-archive:{directory["image.tar"]}:example.com/a/b:2", new RegistryOptions()))
            await ImageCopier.CopyAsync(source, archive, null, TestContext.Current.CancellationToken);
        Assert.Equal(["image.tar", "plain", "tree"], Directory.EnumerateFileSystemEntries(directory["."]).Select(Path.GetFileName).Order());

        ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", $"docker-archive:{directory["image.tar"]}:example.com/a/b:2", $"oci:{directory["again"]}:1"]);
        ExternalProgram.Run("umoci", ["unpack", "--rootless", "--image", directory["again"] + ":1", directory["bundle"]]);
        Assert.Equal("hello", await File.ReadAllTextAsync(directory["bundle/rootfs/etc/hello"], TestContext.Current.CancellationToken));
        var read = await new DockerArchive(directory["image.tar"], "example.com/a/b:2").ResolveAsync(TestContext.Current.CancellationToken);
        Assert.Single(ImageManifest.Parse(read.Bytes.Span).Layers);
    }

    [Fact]
    public async Task Copy_WithinARegistry_SendsNoBlobs()
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory);
        using var from = new RegistryRepository(ImageReference.Parse($"{registry.Host}/from:1"), new RegistryOptions());
        using var to = new RegistryRepository(ImageReference.Parse($"{registry.Host}/to:1"), new RegistryOptions());
        var copied = await ImageCopier.CopyAsync(new OciLayout(directory["plain"], "1"), from, null, TestContext.Current.CancellationToken);
        var reports = new List<TransferProgress>();
        await ImageCopier.CopyAsync(from, to, new Collector(reports), TestContext.Current.CancellationToken);
        Assert.Equal(2, reports.Count);
        Assert.All(reports, r => Assert.True(r.AlreadyThere));
        Assert.Equal(copied.Digest, (await to.ResolveAsync(TestContext.Current.CancellationToken)).Digest);
    }

    [Fact]
    public async Task Tls_WithAPrivateAuthority_IsAccepted_AndWithoutItRefused()
    {
        using var directory = new TemporaryDirectory();
        var authority = LocalAuthority.Create(directory["server.pem"], directory["server.key"]);
        await using var registry = await LocalRegistry.StartAsync(tls: (directory["server.pem"], directory["server.key"]));
        await BuildAsync(directory);
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/tls:1"), new RegistryOptions { CertificateAuthorities = [authority] });
        var copied = await ImageCopier.CopyAsync(new OciLayout(directory["plain"], "1"), repository, null, TestContext.Current.CancellationToken);
        Assert.Equal(copied.Digest, (await repository.ResolveAsync(TestContext.Current.CancellationToken)).Digest);

        using var stranger = LocalAuthority.Create(directory["other.pem"], directory["other.key"]);
        using var refused = new RegistryRepository(ImageReference.Parse($"{registry.Host}/tls:1"), new RegistryOptions { CertificateAuthorities = [stranger], MaxAttempts = 1 });
        await Assert.ThrowsAnyAsync<Exception>(() => refused.ResolveAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Build_Twice_GivesTheSameDigest()
    {
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory);
        var second = await ImageBuilder.BuildAsync([directory["tree"]], new OciLayout(directory["second"], "1"), new ImageBuildOptions(), TestContext.Current.CancellationToken);
        var first = await new OciLayout(directory["plain"], "1").ResolveAsync(TestContext.Current.CancellationToken);
        Assert.Equal(first.Digest, second.Digest);
    }

    [Fact]
    public async Task Authentication_ByPassword_IsAsked()
    {
        using var directory = new TemporaryDirectory();
        // "user" with the password "secret", by bcrypt.
        ExternalProgram.Require("python3");
        var hash = ExternalProgram.Run("python3", ["-W", "ignore", "-c", "import crypt;print(crypt.crypt('secret', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))"]).Trim();
        await File.WriteAllTextAsync(directory["htpasswd"], $"user:{hash.Replace("$2b$", "$2y$", StringComparison.Ordinal)}\n", TestContext.Current.CancellationToken);
        await using var registry = await LocalRegistry.StartAsync($"auth: {{htpasswd: {{realm: test, path: {directory["htpasswd"]}}}}}");
        await BuildAsync(directory);
        var auth = AuthFileCredentials.Parse(System.Text.Encoding.ASCII.GetBytes(
            $$"""{"auths": {"{{registry.Host}}": {"auth": "{{Convert.ToBase64String("user:secret"u8)}}"} } }"""));
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/p:1"), new RegistryOptions { Credentials = auth });
        await ImageCopier.CopyAsync(new OciLayout(directory["plain"], "1"), repository, null, TestContext.Current.CancellationToken);

        using var anonymous = new RegistryRepository(ImageReference.Parse($"{registry.Host}/p:1"), new RegistryOptions());
        var error = await Assert.ThrowsAsync<RegistryException>(() => anonymous.ResolveAsync(TestContext.Current.CancellationToken));
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, error.Status);
    }

    private sealed class Collector(List<TransferProgress> reports) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => reports.Add(value);
    }

    private static async Task BuildAsync(TemporaryDirectory directory)
    {
        ExternalProgram.Require("skopeo");
        Directory.CreateDirectory(directory["tree/etc"]);
        await File.WriteAllTextAsync(directory["tree/etc/hello"], "hello");
        await ImageBuilder.BuildAsync([directory["tree"]], new OciLayout(directory["plain"], "1"), new ImageBuildOptions(), TestContext.Current.CancellationToken);
    }
}
