using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Oci.Tests;

public sealed class ExtractionTests
{
    [Fact]
    public void Extract_Layers_ApplyOverEachOther()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Extract(directory["root"],
            TarTests.Archive((Dir("d"), ""), (TarTests.Entry("d/a"), "1"), (TarTests.Entry("d/b"), "1"), (TarTests.Entry("x"), "1"), (Dir("o"), ""), (TarTests.Entry("o/old"), "1")),
            TarTests.Archive((TarTests.Entry("d/.wh.a"), ""), (TarTests.Entry("d/b"), "2"), (TarTests.Entry("o/new"), "2"), (TarTests.Entry("o/.wh..wh..opq"), ""), (Dir("x"), ""), (TarTests.Entry("x/y"), "2")));
        Assert.Equal("d/b=2 o/new=2 x/y=2", Describe(directory["root"]));
    }

    [Fact]
    public void Extract_WhiteoutAfterTheFileOfItsOwnLayer_KeepsTheFile()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Extract(directory["root"],
            TarTests.Archive((TarTests.Entry("f"), "1"), (Dir("d"), ""), (TarTests.Entry("d/low"), "1")),
            TarTests.Archive((TarTests.Entry("f"), "2"), (TarTests.Entry(".wh.f"), ""), (TarTests.Entry("d/high"), "2"), (TarTests.Entry(".wh.d"), "")));
        Assert.Equal("d/high=2 f=2", Describe(directory["root"]));
    }

    [Fact]
    public void Extract_ParentIsASymbolicLink_StaysInside()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Directory.CreateDirectory(directory["outside"]);
        Extract(directory["root"], TarTests.Archive(
            (Link("abs", directory["outside"]), ""), (TarTests.Entry("abs/one"), "1"),
            (Link("up", "../../../../../../.."), ""), (TarTests.Entry("up/two"), "2"),
            (Dir("real"), ""), (Link("in", "real"), ""), (TarTests.Entry("in/three"), "3")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory["outside"]));
        Assert.Equal("3", File.ReadAllText(directory["root/real/three"]));
        Assert.Equal("2", File.ReadAllText(directory["root/two"]));
        // The absolute link led nowhere inside, so a directory took its place.
        Assert.Equal("1", File.ReadAllText(directory["root/abs/one"]));
    }

    [Fact]
    public void Extract_FileOverASymbolicLink_ReplacesTheLink()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        File.WriteAllText(directory["victim"], "safe");
        Extract(directory["root"], TarTests.Archive((Link("f", directory["victim"]), ""), (TarTests.Entry("f"), "evil")));
        Assert.Equal("safe", File.ReadAllText(directory["victim"]));
        Assert.Equal("evil", File.ReadAllText(directory["root/f"]));
    }

    [Fact]
    public void Extract_HardLinkThroughASymbolicLink_DoesNotReachOutside()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Directory.CreateDirectory(directory["outside"]);
        File.WriteAllText(directory["outside/secret"], "secret");
        var archive = TarTests.Archive(
            (Link("out", directory["outside"]), ""), (TarTests.Entry("leak", TarEntryKind.HardLink, "out/secret"), ""));
        Assert.Throws<MalformedDataException>(() => Extract(directory["root"], archive));
        Assert.False(File.Exists(directory["root/leak"]));
    }

    [Fact]
    public void Extract_HardLinkToASymbolicLink_LinksTheLink()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Extract(directory["root"], TarTests.Archive((Link("l", "/etc/passwd"), ""), (TarTests.Entry("h", TarEntryKind.HardLink, "l"), "")));
        Assert.Equal("/etc/passwd", new FileInfo(directory["root/h"]).LinkTarget);
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("a/../../evil")]
    [InlineData("a/..")]
    [InlineData("..")]
    [InlineData("a/.wh...")]
    [InlineData(".wh.")]
    public void Extract_PathTricks_AreRefused(string path)
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Assert.Throws<MalformedDataException>(() => Extract(directory["root"], TarTests.Archive((Dir("a"), ""), (TarTests.Entry(path), "x"))));
        Assert.False(File.Exists(directory["evil"]));
    }

    [Fact]
    public void Extract_AbsolutePath_LandsInside()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Extract(directory["root"], TarTests.Archive((TarTests.Entry("/etc/./passwd"), "x")));
        Assert.Equal("x", File.ReadAllText(directory["root/etc/passwd"]));
    }

    [Fact]
    public void Extract_TooDeepOrTooManyOrTooLarge_IsRefused()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Assert.Throws<MalformedDataException>(() => Extract(directory["root"], new LayerLimits { MaxDepth = 3 }, TarTests.Archive((TarTests.Entry("a/b/c/d"), "x"))));
        Assert.Throws<MalformedDataException>(() => Extract(directory["root"], new LayerLimits { MaxEntries = 1 }, TarTests.Archive((TarTests.Entry("a"), "x"), (TarTests.Entry("b"), "x"))));
        Assert.Throws<MalformedDataException>(() => Extract(directory["root"], new LayerLimits { MaxContentBytes = 3 }, TarTests.Archive((TarTests.Entry("a"), "xx"), (TarTests.Entry("b"), "xx"))));
        Assert.Throws<MalformedDataException>(() => Extract(directory["root"], TarTests.Archive((TarTests.Entry(new string('n', 256)), "x"))));
    }

    [Fact]
    public void Extract_OverlayTricks_AreRefusedOrLeftOut()
    {
        Assert.SkipUnless(DirectoryHandle.CallerIsRoot, "needs root");
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Assert.Throws<MalformedDataException>(() => Extract(directory["root"], TarTests.Archive((TarTests.Entry("w", TarEntryKind.CharacterDevice), ""))));
        var redirect = KeyValuePair.Create("trusted.overlay.redirect"u8.ToArray(), "/"u8.ToArray());
        var report = Extract(directory["root"], TarTests.Archive((TarTests.Entry("d", TarEntryKind.Directory, attributes: [redirect]), "")));
        Assert.Equal(1, report.SkippedAttributes);
    }

    [Fact]
    public void Extract_Metadata_IsRestored()
    {
        Assert.SkipUnless(DirectoryHandle.CallerIsRoot, "needs root");
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        var capability = KeyValuePair.Create("security.capability"u8.ToArray(), Convert.FromHexString("0100000200040000000000000000000000000000"));
        Extract(directory["root"], TarTests.Archive(
            (new TarEntry { Kind = TarEntryKind.Directory, Path = "d/"u8.ToArray(), Permissions = 0x3FF, ModifiedSeconds = 1000, User = 5, Group = 6 }, ""),
            (new TarEntry { Kind = TarEntryKind.File, Path = "d/f"u8.ToArray(), Permissions = 0x9ED, ModifiedSeconds = 2000, ModifiedNanoseconds = 7, User = 70000, Group = 80000, Attributes = [capability] }, "x"),
            (TarTests.Entry("null", TarEntryKind.CharacterDevice, major: 1, minor: 3), ""),
            (TarTests.Entry("pipe", TarEntryKind.Pipe), "")));
        using var root = DirectoryHandle.Open(directory["root"]);
        using var inner = DirectoryHandle.Open(directory["root/d"]);
        var d = root.Status("d"u8)!.Value;
        var f = inner.Status("f"u8)!.Value;
        Assert.Equal((0x3FF, 5u, 6u, 1000L), (d.Permissions, d.User, d.Group, d.ModifiedSeconds));
        Assert.Equal((0x9ED, 70000u, 80000u, 2000L, 7u), (f.Permissions, f.User, f.Group, f.ModifiedSeconds, f.ModifiedNanoseconds));
        Assert.Contains(inner.Attributes("f"u8), a => a.Key == "security.capability");
        var device = root.Status("null"u8)!.Value;
        Assert.Equal((FileKind.CharacterDevice, 1u, 3u), (device.Kind, device.NodeMajor, device.NodeMinor));
        Assert.Equal(FileKind.Pipe, root.Status("pipe"u8)!.Value.Kind);
    }

    [Fact]
    public void Extract_SparseFile_HasItsContent()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        using (var file = File.Create(directory["sparse"]))
        {
            file.Position = 3_000_000;
            file.Write("middle"u8);
            file.SetLength(9_000_001);
        }

        ExternalProgram.Run("tar", ["-C", directory.Path, "--format=pax", "--sparse", "-cf", directory["a.tar"], "sparse"]);
        Extract(directory["root"], new MemoryStream(File.ReadAllBytes(directory["a.tar"])));
        Assert.Equal(SHA256.HashData(File.ReadAllBytes(directory["sparse"])), SHA256.HashData(File.ReadAllBytes(directory["root/sparse"])));
    }

    [Fact]
    public void Extract_NamesThatAreNoUtf8_AreKept()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        byte[] name = [0xff, (byte)'a', 0xe9];
        Extract(directory["root"], TarTests.Archive((new TarEntry { Kind = TarEntryKind.File, Path = name }, "x")));
        using var root = DirectoryHandle.Open(directory["root"]);
        Assert.Equal(name, Assert.Single(root.Names()));
        root.RemoveContents();
    }

    [Fact]
    public void Apply_Bomb_IsRefusedEarly()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(TarTests.Archive((TarTests.Entry("zeros"), new string('\0', 40_000_000))).ToArray());
        }

        var error = Assert.Throws<MalformedDataException>(() => Apply(
            directory["root"], compressed.ToArray(), Digest.Of([]), new LayerLimits { FreeExpansionBytes = 1_000_000 }));
        Assert.Contains("bomb", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_WrongDiffId_IsRefused()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        var archive = TarTests.Archive((TarTests.Entry("f"), "x")).ToArray();
        Apply(directory["root"], archive, Digest.Of(archive), new LayerLimits(), LayerCompression.None);
        Assert.Throws<ContentMismatchException>(() => Apply(directory["root"], archive, Digest.Of([]), new LayerLimits(), LayerCompression.None));
    }

    [Theory]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public void Apply_DamagedCompression_IsMalformed(LayerCompression compression)
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["root"]);
        Assert.Throws<MalformedDataException>(() => Apply(
            directory["root"], Encoding.ASCII.GetBytes("this is not compressed at all, it is text"), Digest.Of([]), new LayerLimits(), compression));
    }

    private static void Apply(string root, byte[] content, Digest diffId, LayerLimits limits, LayerCompression compression = LayerCompression.Gzip)
    {
        using var extractor = new LayerExtractor(root, new ExtractionOptions { Limits = limits });
        LayerApplier.Apply(new MemoryStream(content), content.Length, compression, diffId, extractor, limits, TestContext.Current.CancellationToken);
    }

    private static TarEntry Dir(string path) => TarTests.Entry(path + "/", TarEntryKind.Directory, mode: 0x1ED);

    private static TarEntry Link(string path, string target) => TarTests.Entry(path, TarEntryKind.SymbolicLink, target);

    private static ExtractionReport Extract(string root, params MemoryStream[] layers) => Extract(root, new LayerLimits(), layers);

    private static ExtractionReport Extract(string root, LayerLimits limits, params MemoryStream[] layers)
    {
        using var extractor = new LayerExtractor(root, new ExtractionOptions { Limits = limits });
        foreach (var layer in layers)
            extractor.Extract(new TarReader(layer), TestContext.Current.CancellationToken);
        return extractor.Report;
    }

    private static string Describe(string root) => string.Join(' ', Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(f => $"{Path.GetRelativePath(root, f)}={File.ReadAllText(f)}"));
}
