using System.Text;
using Kist.Formats;
using Kist.Testing;

namespace Kist.Oci.Tests;

/// <summary>registries.conf: where images are really fetched from.</summary>
public sealed class RegistryRulesTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private const string Sample = """
        unqualified-search-registries = ["docker.io"]

        [[registry]]
        prefix = "example.com/foo"
        location = "internal.example.com/bar"
        insecure = true

        [[registry.mirror]]
        location = "mirror.example.com/m"

        [[registry.mirror]]
        location = "tags.example.com/t"
        pull-from-mirror = "tag-only"

        [[registry]]
        location = "blocked.example.com"
        blocked = true

        [[registry]]
        prefix = "*.wild.example.com"
        location = "one.example.com"

        [[registry]]
        prefix = "docker.io"
        mirror-by-digest-only = true

        [[registry.mirror]]
        location = "hub.example.com"
        """;

    [Theory]
    [InlineData("example.com/foo/app:1", "mirror.example.com/m/app tags.example.com/t/app internal.example.com/bar/app!")]
    [InlineData("example.com/foo/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "mirror.example.com/m/app internal.example.com/bar/app!")]
    [InlineData("example.com/foobar/app:1", "example.com/foobar/app")]
    [InlineData("example.com/other:1", "example.com/other")]
    [InlineData("a.wild.example.com/x:1", "one.example.com/x")]
    [InlineData("wild.example.com/x:1", "wild.example.com/x")]
    [InlineData("busybox", "docker.io/library/busybox")]
    [InlineData("busybox@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "hub.example.com/library/busybox docker.io/library/busybox")]
    public void Places_OfAnImage_AreThoseOfTheLongestPrefix(string image, string expected) => Assert.Equal(
        expected, string.Join(' ', RegistryRules.Parse(Encoding.UTF8.GetBytes(Sample)).PlacesFor(ImageReference.Parse(image)).Select(p => p.Name + (p.IsInsecure ? "!" : ""))));

    [Fact]
    public void Places_OfABlockedRegistry_AreRefused() => Assert.Throws<OperationFailedException>(
        () => RegistryRules.Parse(Encoding.UTF8.GetBytes(Sample)).PlacesFor(ImageReference.Parse("blocked.example.com/a/b:1")));

    [Theory]
    [InlineData("[registries.search]\nregistries = ['a']")]
    [InlineData("[[registry]]\nblocked = true")]
    [InlineData("[[registry]]\nlocation = 'https://a'")]
    [InlineData("[[registry]]\nlocation = 'a.example'\n[[registry]]\nprefix = 'a.example'")]
    [InlineData("[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\nlocation = ''")]
    [InlineData("[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\nlocation = 'b.example'\npull-from-mirror = 'never'")]
    [InlineData("[[registry]]\nprefix = '*a.example'\nlocation = 'b.example'")]
    [InlineData("[[registry]]\nlocation = 'a.example'\nlocation = 'b.example'")]
    [InlineData("[[registry]]\nlocation = 'a.example'\ninsecure = 'yes'")]
    [InlineData("registry = 1")]
    public void Parse_WrongFile_IsMalformed(string toml) => Assert.Throws<MalformedDataException>(() => RegistryRules.Parse(Encoding.UTF8.GetBytes(toml)));

    [Fact]
    public void Parse_EvidenceFile_IsRead() => Assert.NotEmpty(
        RegistryRules.Parse(Evidence.Read("oci/registry-configuration.toml")).PlacesFor(ImageReference.Parse("example.com/foo/image:latest")));

    [Fact]
    public async Task Pull_FromAMirror_NeverAsksTheRegistry_AndFallsBackWhereTheMirrorLacksIt()
    {
        await using var mirror = await LocalRegistry.StartAsync();
        await using var own = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        var rules = RegistryRules.Parse(Encoding.UTF8.GetBytes(
            $"[[registry]]\nprefix = 'registry.example.com'\nlocation = '{own.Host}'\ninsecure = true\n[[registry.mirror]]\nlocation = '{mirror.Host}/copies'\ninsecure = true\n"));
        var options = new RegistryOptions { Rules = rules, MaxAttempts = 1 };
        Directory.CreateDirectory(directory["tree"]);
        await File.WriteAllTextAsync(directory["tree/file"], "own", Cancel);

        // Written to its own place, under its own name.
        using (var writer = new RegistryRepository(ImageReference.Parse("registry.example.com/app:1"), options))
            await ImageBuilder.BuildAsync([directory["tree"]], writer, new ImageBuildOptions(), Cancel);
        using (var reader = new RegistryRepository(ImageReference.Parse("registry.example.com/app:1"), options))
        {
            var copied = await ImageCopier.CopyAsync(reader, new OciLayout(directory["from-own"], "1"), null, Cancel);
            using var copy = new RegistryRepository(ImageReference.Parse($"{mirror.Host}/copies/app:1"), new RegistryOptions());
            await ImageCopier.CopyAsync(new OciLayout(directory["from-own"], "1"), copy, null, Cancel);
            Assert.Equal(copied.Digest, (await copy.ResolveAsync(Cancel)).Digest);
        }

        await own.DisposeAsync();
        using (var reader = new RegistryRepository(ImageReference.Parse("registry.example.com/app:1"), options))
        {
            await ImageCopier.CopyAsync(reader, new OciLayout(directory["from-mirror"], "1"), null, Cancel);
            Assert.Equal("registry.example.com/app:1", reader.Reference.ToString());
        }
    }
}
