using CsCheck;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Images.Sealed;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

/// <summary>New versions that point at what they have in common with an older one.</summary>
public sealed class SealedReuseTests : IDisposable
{
    private const string KeyId = "kbs:///default/image-key/versions";
    private static readonly byte[] s_key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Seal_NewVersion_StoresOnlyWhatChangedAndReadsTheSame()
    {
        ExternalProgram.Require("mkfs.erofs");
        await BuildAsync("v1", i => i < 8 ? i : -1);
        await BuildAsync("v2", i => i is 3 ? 103 : i is 5 ? -1 : i < 9 ? i : -1);
        var first = await SealAsync("v1");
        var second = await SealAsync("v2", "v1");
        var whole = await SealAsync("v2", name: "whole");
        Assert.Equal(first.Blobs.Sum(b => b.Size), first.NewBytes);
        Assert.Equal(2, second.Blobs.Count);
        Assert.Equal(first.Blobs[0], second.Blobs[1]);

        // Two files of a megabyte are new; the rest is metadata.
        Assert.InRange(second.NewBytes, 2 << 20, 3 << 20);
        Assert.Equal(await PlainAsync("whole"), await PlainAsync("v2-sealed"));
        await CheckAsync("v2-sealed");

        // The third version finds blocks of both.
        await BuildAsync("v3", i => i is 3 ? 103 : i is 5 ? -1 : i is 7 ? 107 : i < 9 ? i : -1);
        var third = await SealAsync("v3", "v2-sealed");
        Assert.Equal(3, third.Blobs.Count);
        Assert.InRange(third.NewBytes, 1 << 20, 2 << 20);
        await CheckAsync("v3-sealed");
    }

    [Fact]
    public async Task Seal_NothingChanged_StoresNothing()
    {
        ExternalProgram.Require("mkfs.erofs");
        await BuildAsync("v1", i => i < 3 ? i : -1);
        var first = await SealAsync("v1");
        var again = await SealAsync("v1", "v1", "again");
        Assert.Equal(0, again.NewBytes);
        Assert.Equal(first.Blobs, again.Blobs);
        Assert.Equal(first.Digest, again.Digest);
    }

    [Fact]
    public async Task Seal_OlderVersionUnderAnotherKey_IsRefused()
    {
        ExternalProgram.Require("mkfs.erofs");
        await BuildAsync("v1", i => i < 3 ? i : -1);
        await SealAsync("v1");
        var error = await Assert.ThrowsAsync<OperationFailedException>(() => ImageSealer.SealAsync(
            Layout("v1"), [], Layout("out"), KeyId, new byte[32], Options("v1"), Token));
        Assert.Equal("open sealed image", error.Step);
    }

    [Fact]
    public async Task Seal_PerLayer_KeepsLayersApartWithTheirWhiteouts()
    {
        ExternalProgram.Require("mkfs.erofs");
        Assert.SkipUnless(Environment.UserName == "root", "only root makes overlayfs whiteouts");
        WriteFiles("lower", i => i < 2 ? i : -1);
        WriteFiles("upper", i => i is 7 ? i : -1);
        File.WriteAllText(_directory["upper/.wh.file1"], "");
        await ImageBuilder.BuildAsync([_directory["lower"], _directory["upper"]], Layout("plain"), new ImageBuildOptions(), Token);
        await ImageSealer.SealAsync(
            Layout("plain"), [], Layout("layers"), KeyId, s_key, new SealOptions { PerLayer = true, AllRoot = true, TemporaryDirectory = _directory.Path }, Token);
        var manifest = (await OpenAsync("layers")).Manifest;
        Assert.Equal(2, manifest.FileSystems.Count);
        var listing = await ListAsync("layers", manifest.FileSystems[1], "/file1");
        Assert.Contains("char", listing, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(1, 0, 10)] // no such blob
    [InlineData(-1, 0, 10)]
    [InlineData(0, -1, 10)]
    [InlineData(0, 1, 10)] // beyond the blob's end
    [InlineData(0, 0, 11)]
    [InlineData(0, long.MaxValue, 10)]
    [InlineData(0, 1, long.MaxValue)]
    [InlineData(0, 0, 9)] // fewer blocks than the file system has
    [InlineData(0, 0, 0)]
    public void Parse_RunThatItsBlobDoesNotHave_IsRefused(int blob, long start, long count)
    {
        var manifest = Sample(new SealedExtent(blob, start, count));
        Assert.Throws<MalformedDataException>(() => SealedManifest.Parse(manifest.ToBytes()));
        SealedManifest.Parse(Sample(new SealedExtent(0, 0, 10)).ToBytes());
    }

    [Fact]
    public void Plan_AnyBlocks_CoversThemInOrderAndPointsAtEqualOnes() =>
        Gen.Select(Gen.Byte[0, 5].Array[1, 400], Gen.Byte[0, 5].Array[40, 400], Gen.Int[0, 300], Gen.Int[0, 300]).Sample((image, old, from, length) =>
        {
            // A stretch of the old blob within the new image, so that there is something to find.
            from = Math.Min(from, old.Length - 1);
            byte[] content = [.. image, .. old[from..Math.Min(old.Length, from + length)], .. image];
            using var index = IndexOf(old);
            var hashes = BlockIndex.HashPlain(FileOf(content).SafeFileHandle, content.Length, Token);
            long next = 0;
            foreach (var run in BlockReuse.Plan(hashes, index, 1))
            {
                Assert.Equal(next, run.Start);
                next += run.Count;
                for (long i = 0; !run.IsNew && i < run.Count; i++)
                    Assert.Equal(content[run.Start + i], old[run.BlobStart + i]);
            }

            Assert.Equal(content.Length, next);
        }, iter: 60);

    private BlockIndex IndexOf(byte[] contents)
    {
        using var file = FileOf(contents);
        var blob = SealedBlobWriter.Seal(file.SafeFileHandle, s_key, [], Token);
        var index = new BlockIndex();
        index.Add(blob, file.SafeFileHandle, Token);
        return index;
    }

    /// <summary>A nameless file of blocks, each filled with one of the bytes.</summary>
    private FileStream FileOf(byte[] contents)
    {
        var path = _directory[$"blocks-{Guid.NewGuid():N}"];
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 65536);
        File.Delete(path);
        foreach (var content in contents)
            file.Write([.. Enumerable.Repeat(content, 4096)]);
        file.Flush();
        return file;
    }

    private static SealedManifest Sample(SealedExtent extent) => new()
    {
        Version = SealedManifest.CurrentVersion,
        Revision = 1,
        Source = Digest.Of("x"u8),
        Platform = "linux/amd64",
        Config = new ContainerConfiguration(),
        FileSystems =
        [
            new SealedFileSystem
            {
                Type = "erofs",
                Blocks = 10,
                Extents = [extent],
                Blobs =
                [
                    new SealedBlob
                    {
                        Digest = Digest.Of("x"u8), Size = 12 * 4096, DataBlocks = 10, Cipher = "aes-xts-plain64", Key = new byte[64], Salt = new byte[32], RootHash = new byte[32],
                    },
                ],
            },
        ],
    };

    /// <summary>Ten files of a megabyte: the content of each, or -1 to leave it out.</summary>
    private void WriteFiles(string name, Func<int, int> content)
    {
        Directory.CreateDirectory(_directory[name]);
        for (var i = 0; i < 10; i++)
        {
            if (content(i) is not (>= 0 and var seed))
                continue;
            var bytes = new byte[1 << 20];
            new Random(seed).NextBytes(bytes);
            File.WriteAllBytes(_directory[$"{name}/file{i}"], bytes);
        }
    }

    private async Task BuildAsync(string name, Func<int, int> content)
    {
        WriteFiles($"{name}-tree", content);
        await ImageBuilder.BuildAsync([_directory[$"{name}-tree"]], Layout(name), new ImageBuildOptions(), Token);
    }

    private OciLayout Layout(string name) => new(_directory[name], "1");

    private SealOptions Options(string? older) => new()
    {
        AllRoot = true,
        TemporaryDirectory = _directory.Path,
        Dedupe = older is null ? SealedDedupe.Image : SealedDedupe.Blocks,
        Base = older is null ? null : Layout(older.EndsWith("-sealed", StringComparison.Ordinal) ? older : $"{older}-sealed"),
    };

    private Task<SealedImage> SealAsync(string source, string? older = null, string? name = null) =>
        ImageSealer.SealAsync(Layout(source), [], Layout(name ?? $"{source}-sealed"), KeyId, s_key, Options(older), Token);

    private async Task<OpenedManifest> OpenAsync(string name) =>
        (await SealedImageReader.OpenAsync(Layout(name), new FixedKeyProvider(KeyId, s_key), Token)).Opened;

    /// <summary>The file system's blocks, put together as the guest does.</summary>
    private async Task<byte[]> PlainAsync(string name, SealedFileSystem? fileSystem = null)
    {
        fileSystem ??= Assert.Single((await OpenAsync(name)).Manifest.FileSystems);
        var plain = new List<byte[]>();
        foreach (var blob in fileSystem.Blobs)
        {
            var data = (await File.ReadAllBytesAsync(_directory[$"{name}/blobs/sha256/{blob.Digest.Hex}"], Token))[..(int)blob.DataBytes];
            using var xts = new AesXts(blob.Key);
            xts.Decrypt(data, 0);
            plain.Add(data);
        }

        return [.. fileSystem.Extents.SelectMany(e => plain[e.Blob].AsSpan((int)e.Start * 4096, (int)e.Count * 4096).ToArray())];
    }

    /// <summary>The file system is sound, and each blob is its root hash's.</summary>
    private async Task CheckAsync(string name)
    {
        var image = _directory[$"{name}.erofs"];
        await File.WriteAllBytesAsync(image, await PlainAsync(name), Token);
        ExternalProgram.Run("fsck.erofs", [image]);
        ExternalProgram.Require("veritysetup");
        foreach (var blob in (await OpenAsync(name)).Manifest.Blobs)
        {
            var path = _directory[$"{name}/blobs/sha256/{blob.Digest.Hex}"];
            ExternalProgram.Run("veritysetup", ["verify", path, path, Convert.ToHexStringLower(blob.RootHash), $"--hash-offset={blob.DataBytes}"]);
        }
    }

    private async Task<string> ListAsync(string name, SealedFileSystem fileSystem, string path)
    {
        var image = _directory[$"{name}.erofs"];
        await File.WriteAllBytesAsync(image, await PlainAsync(name, fileSystem), Token);
        return ExternalProgram.Run("dump.erofs", [$"--path={path}", image]);
    }
}
