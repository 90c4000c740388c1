using System.Text;
using CsCheck;
using Kist.Formats;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Oci.Tests;

public sealed class TarTests
{
    [Theory]
    [InlineData("ustar")]
    [InlineData("pax")]
    [InlineData("gnu")]
    [InlineData("v7")]
    public void Next_ArchiveOfGnuTar_ListsTheSame(string format)
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["tree/sub"]);
        File.WriteAllText(directory["tree/file"], "content");
        File.WriteAllText(directory["tree/sub/" + new string('x', format is "v7" ? 40 : 90)], "deep");
        File.CreateSymbolicLink(directory["tree/link"], "file");
        ExternalProgram.Run("ln", [directory["tree/file"], directory["tree/hard"]]);
        ExternalProgram.Run("tar", ["-C", directory["tree"], "--format", format, "--sort=name", "--owner=7", "--group=8", "--mtime=@1234567890", "-cf", directory["a.tar"], "."]);

        using var stream = File.OpenRead(directory["a.tar"]);
        var entries = ReadAll(stream);

        Assert.Equal(
            ["./ Directory ", "./file File content", "./hard HardLink ./file", "./link SymbolicLink file", "./sub/ Directory ", $"./sub/{new string('x', format is "v7" ? 40 : 90)} File deep"],
            entries.Select(e => $"{e.Entry.DisplayPath} {e.Entry.Kind} {(e.Entry.Kind == TarEntryKind.File ? e.Text : Encoding.UTF8.GetString(e.Entry.LinkTarget))}"));
        Assert.All(entries, e => Assert.Equal((7u, 8u, 1234567890L), (e.Entry.User, e.Entry.Group, e.Entry.ModifiedSeconds)));
    }

    [Theory]
    [InlineData("gnu", null)]
    [InlineData("pax", "0.0")]
    [InlineData("pax", "0.1")]
    [InlineData("pax", "1.0")]
    public void Next_SparseFile_HasItsRegions(string format, string? version)
    {
        using var directory = new TemporaryDirectory();
        using (var file = File.Create(directory["sparse"]))
        {
            for (var i = 0; i < 40; i++)
            {
                file.Position = i * 1_000_000L;
                file.Write(Encoding.ASCII.GetBytes($"part {i}"));
            }

            file.SetLength(50_000_000);
        }

        string[] sparse = version is null ? ["--sparse"] : ["--sparse", "--sparse-version=" + version];
        ExternalProgram.Run("tar", ["-C", directory.Path, "--format", format, .. sparse, "-cf", directory["a.tar"], "sparse"]);
        using var stream = File.OpenRead(directory["a.tar"]);
        var reader = new TarReader(stream);
        var entry = reader.Next()!;

        Assert.Equal("sparse", entry.DisplayPath);
        Assert.Equal(50_000_000, entry.Size);
        Assert.NotNull(entry.Regions);
        Assert.Equal(entry.Regions.Sum(r => r.Length), reader.DataLeft);
        Assert.True(reader.DataLeft < 1_000_000);
        Assert.Null(reader.Next());
    }

    [Fact]
    public void Next_BinaryAttribute_IsKeptExactly()
    {
        var value = new byte[] { 1, 0, 0, 2, 0xff, 0xfe, (byte)'\n', 0x80 };
        var entry = Entry("file", attributes: [KeyValuePair.Create("security.capability"u8.ToArray(), value)]);
        var (read, _) = Assert.Single(ReadAll(Archive((entry, "x"))));
        Assert.Equal(value, Assert.Single(read.Attributes).Value);
    }

    [Fact]
    public void Write_AnyEntry_ReadsBackAndGnuTarReadsIt()
    {
        var names = Gen.Char[' ', '~'].Array[1, 300].Select(c => new string(c).Replace('/', '_'));
        Gen.Select(names, Gen.Int[0, 3000], Gen.UInt[0, uint.MaxValue - 1], Gen.Long[-3_000_000_000, 1L << 36], Gen.UInt[0, 999_999_999], Gen.Int[0, 4095])
            .Sample((name, size, owner, seconds, nanoseconds, mode) =>
            {
                var entry = new TarEntry
                {
                    Kind = TarEntryKind.File,
                    Path = Encoding.UTF8.GetBytes(name),
                    Size = size,
                    User = owner,
                    Group = owner,
                    ModifiedSeconds = seconds,
                    ModifiedNanoseconds = nanoseconds,
                    Permissions = mode,
                };
                var (read, text) = Assert.Single(ReadAll(Archive((entry, new string('d', size)))));
                return read.DisplayPath == name && text.Length == size && read.User == owner && read.ModifiedSeconds == seconds
                    && read.ModifiedNanoseconds == nanoseconds && read.Permissions == mode;
            }, iter: 200);

        using var directory = new TemporaryDirectory();
        var longName = new string('l', 200) + "/" + new string('é', 60);
        File.WriteAllBytes(directory["a.tar"], Archive((Entry(longName), "x"), (Entry("second"), "yz")).ToArray());
        Assert.Equal($"{longName}\nsecond\n", ExternalProgram.Run("tar", ["--quoting-style=literal", "-tf", directory["a.tar"]], new Dictionary<string, string> { ["LC_ALL"] = "C.UTF-8" }));
    }

    [Fact]
    public void Next_TruncatedAnywhere_IsMalformedOrEndsAtABlock()
    {
        var whole = Archive((Entry(new string('n', 150), attributes: [KeyValuePair.Create("user.a"u8.ToArray(), "b"u8.ToArray())]), "some data"), (Entry("b"), "")).ToArray();
        for (var length = 0; length < whole.Length; length++)
        {
            try
            {
                Assert.True(ReadAll(new MemoryStream(whole[..length])).Count <= 2);
                Assert.True(length % 512 == 0 || length > whole.Length - 512, $"cut at {length} was not noticed");
            }
            catch (MalformedDataException)
            {
                // What is expected inside a block, a file or after an extended header.
            }
        }
    }

    [Fact]
    public void Next_AnyByteChanged_NeverFailsOtherwise()
    {
        var whole = Archive((Entry(new string('n', 150), attributes: [KeyValuePair.Create("user.a"u8.ToArray(), "b"u8.ToArray())]), "some data")).ToArray();
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Sample((at, value) =>
        {
            var changed = (byte[])whole.Clone();
            changed[at] = value;
            try
            {
                ReadAll(new MemoryStream(changed));
            }
            catch (MalformedDataException)
            {
                // Noticed.
            }
        }, iter: 3000);
    }

    [Theory]
    [InlineData("99999999999 path=x\n")]
    [InlineData("5 path=x\n")]
    [InlineData("9 path=x")]
    [InlineData("0 a=b\n")]
    [InlineData("x a=b\n")]
    [InlineData("6 ab\n\n")]
    [InlineData("5 =b\n")]
    public void Pax_WrongRecord_IsMalformed(string record) =>
        Assert.Throws<MalformedDataException>(() => new PaxRecords().Read(Encoding.ASCII.GetBytes(record), 0));

    [Theory]
    [InlineData("1.5", 1, 500_000_000)]
    [InlineData("-1.25", -2, 750_000_000)]
    [InlineData("-3", -3, 0)]
    [InlineData("1.1234567899", 1, 123_456_789)]
    public void PaxTime_Text_IsRead(string text, long seconds, uint nanoseconds) =>
        Assert.Equal((seconds, nanoseconds), PaxTime.Parse(Encoding.ASCII.GetBytes(text)));

    internal static TarEntry Entry(
        string path, TarEntryKind kind = TarEntryKind.File, string link = "", int mode = 0x1A4, KeyValuePair<byte[], byte[]>[]? attributes = null,
        uint major = 0, uint minor = 0) => new()
        {
            Kind = kind,
            Path = Encoding.UTF8.GetBytes(path),
            LinkTarget = Encoding.UTF8.GetBytes(link),
            Permissions = mode,
            Attributes = attributes ?? [],
            DeviceMajor = major,
            DeviceMinor = minor,
        };

    internal static MemoryStream Archive(params (TarEntry Entry, string Data)[] entries)
    {
        var stream = new MemoryStream();
        using (var writer = new TarWriter(stream))
        {
            foreach (var (entry, data) in entries)
            {
                var bytes = Encoding.UTF8.GetBytes(data);
                writer.Write(WithSize(entry, bytes.Length), new MemoryStream(bytes));
            }
        }

        stream.Position = 0;
        return stream;
    }

    private static TarEntry WithSize(TarEntry e, long size) => new()
    {
        Kind = e.Kind,
        Path = e.Path,
        LinkTarget = e.LinkTarget,
        Size = e.Kind == TarEntryKind.File ? size : 0,
        Permissions = e.Permissions,
        User = e.User,
        Group = e.Group,
        ModifiedSeconds = e.ModifiedSeconds,
        ModifiedNanoseconds = e.ModifiedNanoseconds,
        DeviceMajor = e.DeviceMajor,
        DeviceMinor = e.DeviceMinor,
        Attributes = e.Attributes,
    };

    private static List<(TarEntry Entry, string Text)> ReadAll(Stream stream)
    {
        var reader = new TarReader(stream);
        var entries = new List<(TarEntry, string)>();
        var buffer = new byte[8192];
        while (reader.Next() is { } entry)
        {
            using var data = new MemoryStream();
            int count;
            while ((count = reader.ReadData(buffer)) > 0)
                data.Write(buffer, 0, count);
            entries.Add((entry, Encoding.UTF8.GetString(data.ToArray())));
        }

        return entries;
    }
}
