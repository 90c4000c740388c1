using System.Security.Cryptography;
using System.Text;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.SealedRoots;
using Kist.Formats;

namespace Kist.Enclaves.Tests.SealedRoots;

public sealed class SealedRootTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("kist-sealed-").FullName;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(SealedRootFormat.KeySize);
    private readonly byte[] _digest = RandomNumberGenerator.GetBytes(SealedRootFormat.DigestSize);
    private readonly Dictionary<string, byte[]> _contents = new()
    {
        ["/a/empty"] = [],
        ["/a/small"] = "small"u8.ToArray(),
        ["/b"] = RandomNumberGenerator.GetBytes((3 * SealedRootFormat.ChunkSize) + 5),
    };

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void OpenRead_EveryFile_IsAsItWas()
    {
        using var root = Open(Write());
        Assert.Equal(["/", "/a", "/a/empty", "/a/link", "/a/small", "/b"], root.Files.Select(f => f.Path));
        foreach (var file in root.Files.Where(f => f.Type == ManifestFileType.File))
            Assert.Equal(_contents[file.Path], Read(root, file));
    }

    [Fact]
    public void Write_PlainContent_IsNotInTheFile() =>
        Assert.Equal(-1, File.ReadAllBytes(Write()).AsSpan().IndexOf("small"u8));

    /// <summary>Header, first chunk (the index), a later chunk, the last tag.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(SealedRootFormat.HeaderSize + SealedRootFormat.ChunkSize + SealedRootFormat.TagSize + 1)]
    [InlineData(-1)]
    public void OpenRead_ChangedByte_IsRefused(int offset)
    {
        var path = Write();
        var bytes = File.ReadAllBytes(path);
        bytes[offset < 0 ? bytes.Length + offset : offset] ^= 1;
        File.WriteAllBytes(path, bytes);
        Assert.True(Record.Exception(() => ReadAll(path)) is MalformedDataException or OperationFailedException);
    }

    [Fact]
    public void Open_CutAtAnyChunk_IsRefused()
    {
        var path = Write();
        var bytes = File.ReadAllBytes(path);
        for (var length = 0; length < bytes.Length; length += 4099)
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.Throws<MalformedDataException>(() => ReadAll(path));
        }

        File.WriteAllBytes(path, [.. bytes, 0]);
        Assert.Throws<MalformedDataException>(() => ReadAll(path));
    }

    [Fact]
    public void OpenRead_ChunksExchanged_IsRefused()
    {
        const int block = SealedRootFormat.ChunkSize + SealedRootFormat.TagSize;
        var path = Write();
        var bytes = File.ReadAllBytes(path);
        var (first, second) = (SealedRootFormat.HeaderSize + block, SealedRootFormat.HeaderSize + (2 * block));
        var moved = bytes.AsSpan(first, block).ToArray();
        bytes.AsSpan(second, block).CopyTo(bytes.AsSpan(first));
        moved.CopyTo(bytes, second);
        File.WriteAllBytes(path, bytes);
        Assert.Throws<OperationFailedException>(() => ReadAll(path));
    }

    [Fact]
    public void Open_OtherKeyOrImage_IsRefused()
    {
        var path = Write();
        Assert.Throws<OperationFailedException>(() => SealedRoot.Open(File.OpenHandle(path), SecretBytes.Random(SealedRootFormat.KeySize), _digest));
        Assert.Throws<MalformedDataException>(() => SealedRoot.Open(File.OpenHandle(path), SecretBytes.CopyOf(_key), new byte[SealedRootFormat.DigestSize]));
    }

    private string Write()
    {
        var tree = Path.Combine(_directory, "tree");
        Directory.CreateDirectory(Path.Combine(tree, "a"));
        foreach (var (name, content) in _contents)
            File.WriteAllBytes(tree + name, content);
        File.CreateSymbolicLink(tree + "/a/link", "small");
        var path = Path.Combine(_directory, "sealed");
        using var target = File.Create(path);
        SealedRootWriter.Write(target, _key, _digest, tree, RootTree.Read(tree));
        return path;
    }

    private SealedRoot Open(string path) => SealedRoot.Open(File.OpenHandle(path), SecretBytes.CopyOf(_key), _digest);

    private void ReadAll(string path)
    {
        using var root = Open(path);
        foreach (var file in root.Files.Where(f => f.Type == ManifestFileType.File))
            Read(root, file);
    }

    private static byte[] Read(SealedRoot root, ManifestFile file)
    {
        using var stream = root.OpenRead(file);
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
