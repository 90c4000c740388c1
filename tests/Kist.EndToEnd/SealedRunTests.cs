using System.Security.Cryptography;

namespace Kist.EndToEnd;

/// <summary>kist run of a sealed image: its blob is a disk, fetched once, verified block by block in the guest.</summary>
public sealed class SealedRunTests(Installation installation, SealedImages images) : IClassFixture<SealedImages>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("eager")]
    [InlineData("prefetch")]
    public async Task Run_SealedImage_RunsWritesAndLeavesItsBlobInTheCache(string fetch)
    {
        var image = await images.SealAsync($"run-{fetch}");
        var result = await installation.Kist.RunAsync(
            "run", "--rm", "--fetch", fetch, "-e", "GIVEN=a", image.Image,
            "sh", "-c", "echo $GIVEN $FROM_IMAGE; echo changed > /etc/secret; cat /etc/secret; touch /new; ls /new; dd if=/data/large bs=1M | tr -d '\\n' | wc -c; exit 3");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Equal($"a yes\nchanged\n/new\n{images.Large.Count(b => b != '\n')}\n", result.Stdout);
        Assert.Equal(image.Blob, Oci.Digest.Of(await File.ReadAllBytesAsync(images.CachedBlob(image.Blob), Cancel)));

        if (fetch != "eager")
            return;

        // The second start finds it there.
        var again = await installation.Kist.RunAsync("run", "--rm", image.Image);
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Equal("hello from the sealed guest\n", again.Stdout);
    }

    [Fact]
    public async Task Run_Lazily_FetchesOnlyWhatIsRead()
    {
        var image = await images.SealAsync("lazy");
        var result = await installation.Kist.RunAsync("run", "--rm", "--fetch", "lazy", image.Image);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("hello from the sealed guest\n", result.Stdout);
        Assert.False(File.Exists(images.CachedBlob(image.Blob)));
        var map = await File.ReadAllBytesAsync(images.CachedBlob(image.Blob) + ".lazy.map", Cancel);
        Assert.InRange(map.Count(b => b != 0), 1, map.Length / 3);
    }

    [Fact]
    public async Task Run_CachePoisonedUnderTheRunningPod_ReadsFailAndNothingWrongIsSeen()
    {
        var image = await images.SealAsync("poisoned");
        using var run = installation.Kist.Start(
            "run", "--rm", "-i", "--fetch", "eager", image.Image, "sh", "-c", "echo ready; read go; cat /data/large; echo status $? >&2");
        var output = run.StandardOutput.BaseStream;
        var ready = new byte[6];
        await output.ReadExactlyAsync(ready, Cancel);
        Assert.Equal("ready\n"u8.ToArray(), ready);

        // Every block of the file's second half: which those are nobody tells the host, so it takes the blob's.
        await PoisonAsync(images.CachedBlob(image.Blob), image.Size / 2, image.Size / 4);
        var seen = new MemoryStream();
        var reading = output.CopyToAsync(seen, Cancel);
        await run.StandardInput.WriteLineAsync("go");
        run.StandardInput.Close();
        var errors = await run.StandardError.ReadToEndAsync(Cancel);
        await reading;
        await run.WaitForExitAsync(Cancel);

        // The guest's kernel has told the agent, and the host tells its user.
        Assert.Contains($"warning: the guest refused blocks of {image.Blob}", errors, StringComparison.Ordinal);
        Assert.Contains("status 1", errors, StringComparison.Ordinal);
        Assert.Contains("Input/output error", errors, StringComparison.OrdinalIgnoreCase);
        Assert.InRange(seen.Length, 1 << 20, SealedImages.LargeBytes - 1);
        Assert.Equal(images.Large[..(int)seen.Length], seen.ToArray());
        File.Delete(images.CachedBlob(image.Blob));
    }

    [Fact]
    public async Task Run_AuthorAndRevision_OnlyFromThatAuthorAndNotOlder()
    {
        installation.Require();
        var folder = Directory.CreateTempSubdirectory("kist-e2e-author-").FullName;
        try
        {
            var (author, other) = (Path.Combine(folder, "author.pem"), Path.Combine(folder, "other.pem"));
            foreach (var path in (string[])[author, other])
            {
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
                await File.WriteAllTextAsync(path, key.ExportECPrivateKeyPem(), Cancel);
            }

            var image = await images.SealAsync("signed", "--sign", author, "--revision", "7");
            var accepted = await installation.Kist.RunAsync("run", "--rm", "--author", author, "--minimum-revision", "7", image.Image);
            Assert.True(accepted.ExitCode == 0, accepted.ToString());
            await DeniedAsync("--author", other, image.Image);
            await DeniedAsync("--minimum-revision", "8", image.Image);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task DeniedAsync(params string[] options)
        {
            var result = await installation.Kist.RunAsync(["run", "--rm", .. options]);
            Assert.True(result.ExitCode == 125, result.ToString());
            Assert.Contains("CreateContainerRequest", result.Stderr, StringComparison.Ordinal);
            Assert.Empty(result.Stdout);
        }
    }

    [Fact]
    public async Task Run_NewVersion_FetchesOnlyWhatChanged()
    {
        var key = Path.GetTempFileName();
        File.Delete(key);
        try
        {
            var first = await images.SealAsync("version1", "--key-file", key);
            Assert.Equal(0, (await installation.Kist.RunAsync("run", "--rm", "--fetch", "eager", first.Image)).ExitCode);
            var second = await images.SealVersionAsync("version2", "version1", "v2", "--key-file", key, "--base", first.Image);
            Assert.InRange(second.NewBytes, 1 << 20, 3 << 20);
            Assert.False(File.Exists(images.CachedBlob(second.Blob)));
            var result = await installation.Kist.RunAsync(
                "run", "--rm", "--fetch", "eager", second.Image, "sh", "-c", "cat /etc/version; ls /etc/secret; tail -c 1048576 /data/large");
            Assert.Equal(0, result.ExitCode);
            Assert.Contains("No such file", result.Stderr, StringComparison.Ordinal);
            Assert.StartsWith("two\n", result.Stdout, StringComparison.Ordinal);
            Assert.Equal(System.Text.Encoding.UTF8.GetString(images.Large[^(1 << 20)..]), result.Stdout[4..]);
            Assert.Equal(second.Size, new FileInfo(images.CachedBlob(second.Blob)).Length);
        }
        finally
        {
            File.Delete(key);
        }
    }

    /// <summary>A pod of another process holds its blobs; the kernel lets go of them when that process is killed.</summary>
    [Fact]
    public async Task Collect_WhileAnotherProcessRunsThePod_LeavesItsBlob_UntilThatIsKilled()
    {
        var image = await images.SealAsync("held");
        using var run = installation.Kist.Start("run", "--rm", "-i", "--fetch", "eager", image.Image, "sh", "-c", "echo ready; read go; wc -c < /data/large");
        var ready = new byte[6];
        await run.StandardOutput.BaseStream.ReadExactlyAsync(ready, Cancel);
        await installation.MustAsync("image", "cache", "gc");
        Assert.True(File.Exists(images.CachedBlob(image.Blob)));

        // Nobody tidies up after a process that was killed; its machine ends with it.
        var machines = ProcessTree.Below(run.Id);
        run.Kill();
        await run.WaitForExitAsync(Cancel);
        Assert.Empty(await ProcessTree.SurvivorsAsync(machines));
        await installation.MustAsync("image", "cache", "gc");
        Assert.False(File.Exists(images.CachedBlob(image.Blob)));
    }

    [Fact(Skip = "not run since its keys were mended: docs/limitations.md, Images")]
    public async Task Run_PodOfTwoSealedContainers_EachHasItsImageAndBothWriteOnTheDisk()
    {
        // Unless its owner says otherwise, a key is for guests that can run its image and no other.
        var manifest = Path.GetTempFileName();
        var one = await images.SealVersionAsync("pod-one", "pod-one", "v1", images.ForAnyGuest());
        var two = await images.SealVersionAsync("pod-two", "pod-two", "v2", images.ForAnyGuest());
        const string program = "grep -c ' / overlay .*upperdir=/run/kist/writable/' /proc/mounts; cat /etc/version; echo $NAME $FROM_IMAGE > /new; cat /new";
        await File.WriteAllTextAsync(manifest, $$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: sealed-pod}
            spec:
              automountServiceAccountToken: false
              restartPolicy: Never
              containers:
              - {name: one, image: "{{one.Image}}", command: [sh, -c, "{{program}}"], env: [{name: NAME, value: first}]}
              - {name: two, image: "{{two.Image}}", command: [sh, -c, "{{program}}"], env: [{name: NAME, value: second}]}
            """, Cancel);
        var result = await installation.Kist.RunAsync("run", "--rm", "-f", manifest);
        File.Delete(manifest);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("first yes", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("second yes", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("two", result.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain("0\n", result.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SealedPerLayer_SeesTheLayersStacked()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root makes overlayfs whiteouts");
        var image = await images.SealVersionAsync("layers", "layers", "v2", "--per-layer");
        var result = await installation.Kist.RunAsync("run", "--rm", image.Image, "sh", "-c", "cat /etc/version; ls /etc/secret; wc -c < /data/large; echo w > /data/new && cat /data/new");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal($"two\n{SealedImages.LargeBytes}\nw\n", result.Stdout);
        Assert.Contains("No such file", result.Stderr, StringComparison.Ordinal);
    }

    private static async Task PoisonAsync(string path, long offset, long length)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var block = new byte[length];
        RandomNumberGenerator.Fill(block);
        await RandomAccess.WriteAsync(file, block, offset, Cancel);
    }
}
