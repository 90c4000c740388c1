using System.Security.Cryptography;
using System.Text.Json;
using Kist.Host;
using Kist.Oci;

namespace Kist.EndToEnd;

/// <summary>Sealed images of one tree: busybox and a large file of known noise. Made as a user makes them.</summary>
public sealed class SealedImages(Installation installation) : IAsyncDisposable
{
    /// <summary>Length of /data/large, which is far more than a start reads.</summary>
    public const int LargeBytes = 24 << 20;

    /// <summary>Allows the key to any guest that was attested, whatever its policy: the tests are about what comes after.</summary>
    private const string AnyAttested =
        """
        package policy
        import rego.v1
        default allow := false
        allow if {
            count(input.submods) > 0
            every submod in input.submods { submod["ear.status"] == "affirming" }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("kist-e2e-sealed-").FullName;
    private readonly SemaphoreSlim _making = new(1, 1);

    /// <summary>The content of /data/large.</summary>
    public byte[] Large { get; } = Noise();

    /// <summary>Where a blob lies in the host's cache.</summary>
    public string CachedBlob(Digest digest) => Path.Combine(installation.State.ImageCache, digest.Algorithm, digest.Hex);

    /// <summary>Seals the tree under a tag.</summary>
    /// <param name="tag">The tag; the image's key has the same name.</param>
    /// <param name="options">Further options of kist image seal.</param>
    public Task<SealedImageFacts> SealAsync(string tag, params string[] options) => SealVersionAsync(tag, tag, "v1", options);

    /// <summary>Seals a version under a tag and a key. "v1" is the tree; "v2" has a second layer: a new /etc/version, no /etc/secret, another beginning of /data/large.</summary>
    public async Task<SealedImageFacts> SealVersionAsync(string tag, string key, string version, params string[] options)
    {
        installation.Require();
        var layout = await LayoutAsync();
        var image = $"{installation.Endpoints.Registry}/sealed:{tag}";
        using var output = JsonDocument.Parse(await installation.MustAsync(
            ["image", "seal", $"oci:{layout}:{version}", image, "--all-root", "--key", $"kbs:///default/image-key/{key}", "--json", .. options]));
        var blob = output.RootElement.GetProperty("blobs")[0];
        return new SealedImageFacts(
            image, Digest.Parse(output.RootElement.GetProperty("digest").GetString()!), Digest.Parse(blob.GetProperty("digest").GetString()!),
            blob.GetProperty("size").GetInt64(), output.RootElement.GetProperty("newBytes").GetInt64())
        {
            Blobs = [.. output.RootElement.GetProperty("blobs").EnumerateArray().Select(b => Digest.Parse(b.GetProperty("digest").GetString()!))],
        };
    }

    /// <summary>Options for a key that any attested guest may have.</summary>
    public string[] ForAnyGuest()
    {
        var file = Path.Combine(_folder, "any.rego");
        File.WriteAllText(file, AnyAttested);
        return ["--resource-policy", file];
    }

    public ValueTask DisposeAsync()
    {
        _making.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<string> LayoutAsync()
    {
        var layout = Path.Combine(_folder, "layout");
        await _making.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (!Directory.Exists(layout))
                await BuildAsync(layout);
            return layout;
        }
        finally
        {
            _making.Release();
        }
    }

    private async Task BuildAsync(string layout)
    {
        var tree = Path.Combine(_folder, "tree");
        BusyboxTree.Write(tree);
        Directory.CreateDirectory(Path.Combine(tree, "data"));
        await File.WriteAllBytesAsync(Path.Combine(tree, "data", "large"), Large);
        var changes = Path.Combine(_folder, "changes");
        foreach (var folder in (string[])["etc", "data"])
            Directory.CreateDirectory(Path.Combine(changes, folder));
        await File.WriteAllTextAsync(Path.Combine(changes, "etc", "version"), "two\n");
        await File.WriteAllTextAsync(Path.Combine(changes, "etc", ".wh.secret"), "");
        await File.WriteAllBytesAsync(Path.Combine(changes, "data", "large"), [.. new byte[1 << 20], .. Large[(1 << 20)..]]);
        await BuildAsync(layout, "v1", tree);
        await BuildAsync(layout, "v2", tree, changes);
    }

    private static async Task BuildAsync(string layout, string tag, params string[] trees) =>
        await ImageBuilder.BuildAsync(
            trees, new OciLayout(layout, tag),
            new ImageBuildOptions { Config = new ContainerConfiguration { Command = ["/bin/sh", "-c", "echo hello from the sealed guest"], Environment = ["PATH=/bin", "FROM_IMAGE=yes"] } },
            TestContext.Current.CancellationToken);

    /// <summary>The same each time; no two blocks are equal.</summary>
    private static byte[] Noise()
    {
        using var aes = Aes.Create();
        aes.Key = new byte[32];
        return aes.EncryptCtr(LargeBytes);
    }
}

/// <summary>A sealed image in the registry.</summary>
/// <param name="Image">Its reference.</param>
/// <param name="Digest">Digest of the artifact.</param>
/// <param name="Blob">Digest of its blob.</param>
/// <param name="Size">Length of the blob.</param>
/// <param name="NewBytes">Length of what no older version had.</param>
public sealed record SealedImageFacts(string Image, Digest Digest, Digest Blob, long Size, long NewBytes)
{
    /// <summary>Digests of all blobs, in order.</summary>
    public IReadOnlyList<Digest> Blobs { get; init; } = [Blob];
}

static class NoiseExtensions
{
    /// <summary>Counter blocks, encrypted.</summary>
    public static byte[] EncryptCtr(this Aes aes, int length)
    {
        var counters = new byte[length];
        for (var i = 0; i < length; i += 16)
            BitConverter.TryWriteBytes(counters.AsSpan(i), i);
        return aes.EncryptEcb(counters, PaddingMode.None);
    }
}
