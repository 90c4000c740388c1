using Kist.Linux.Files;

namespace Kist.Linux.Tests;

public sealed class DirectoryRootTests : IDisposable
{
    private readonly DirectoryInfo _outside = Directory.CreateTempSubdirectory("kist-root-");
    private readonly DirectoryRoot _root;
    private readonly string _path;

    public DirectoryRootTests()
    {
        _path = Path.Combine(_outside.FullName, "root");
        Directory.CreateDirectory(Path.Combine(_path, "inner"));
        File.WriteAllText(Path.Combine(_outside.FullName, "secret"), "outside");
        _root = DirectoryRoot.Open(_path);
    }

    public void Dispose()
    {
        _root.Dispose();
        _outside.Delete(recursive: true);
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("inner/../../secret")]
    [InlineData("/etc/passwd")]
    public void CreateFile_PathLeavesTheRoot_IsRefused(string path) =>
        Assert.Equal(Errno.EXDEV, Assert.Throws<SystemCallException>(() => _root.CreateFile(path, 0x180)).Errno);

    [Theory]
    [InlineData("..")]
    [InlineData("../..")]
    [InlineData("/")]
    public void OpenRead_LinkOutOfTheRoot_StaysInside(string target)
    {
        File.CreateSymbolicLink(Path.Combine(_path, "link"), target);

        // As a process with this root sees it, the link leads to the root itself, where no "secret" is.
        Assert.Equal(Errno.ENOENT, Assert.Throws<SystemCallException>(() => _root.OpenRead("link/secret")).Errno);
    }

    [Fact]
    public void CreateFile_LinkAtTheEnd_IsNotFollowed()
    {
        File.CreateSymbolicLink(Path.Combine(_path, "link"), Path.Combine(_outside.FullName, "new"));

        Assert.Equal(Errno.EEXIST, Assert.Throws<SystemCallException>(() => _root.CreateFile("link", 0x180)).Errno);
        Assert.False(File.Exists(Path.Combine(_outside.FullName, "new")));
    }

    [Fact]
    public void CreateFile_LinkInTheMiddleLeavesTheRoot_IsRefused()
    {
        Directory.CreateDirectory(Path.Combine(_outside.FullName, "elsewhere"));
        File.CreateSymbolicLink(Path.Combine(_path, "way"), "../elsewhere");

        Assert.Equal(Errno.EXDEV, Assert.Throws<SystemCallException>(() => _root.CreateFile("way/file", 0x180)).Errno);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_outside.FullName, "elsewhere")));
    }

    [Fact]
    public void OpenParent_NestedPath_GivesParentAndName()
    {
        var (parent, name) = _root.OpenParent("inner/file");
        using (parent)
        {
            using var file = parent.CreateFile(name, 0x1a4);
            RandomAccess.Write(file, "text"u8, 0);
        }

        Assert.Equal("text", File.ReadAllText(Path.Combine(_path, "inner", "file")));
    }

    [Fact]
    public void Entries_EveryKind_AreMadeAndRemoved()
    {
        _root.CreateDirectory("d", 0x1c0);
        _root.CreateSymbolicLink("l", "anywhere");
        _root.CreateNode("p", NodeType.Fifo, 0x1a4);
        _root.CreateHardLink("h", _root, "p");
        _root.SetPermissions("p", 0x180);
        _root.SetModified("p", 1_000_000_000, 0);

        Assert.Equal("anywhere", new FileInfo(Path.Combine(_path, "l")).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_path, "h")));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_000_000_000), new DateTimeOffset(File.GetLastWriteTimeUtc(Path.Combine(_path, "h"))));
        Assert.True(_root.RemoveFile("l"));
        Assert.True(_root.RemoveDirectory("d"));
        Assert.False(_root.RemoveFile("l"));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("a\0b")]
    public void CreateDirectory_NotOneComponent_IsRefused(string name) =>
        Assert.Throws<ArgumentException>(() => _root.CreateDirectory(name, 0x1c0));
}
