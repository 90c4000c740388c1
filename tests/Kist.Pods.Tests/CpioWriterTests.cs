using System.Diagnostics;
using System.Text;
using Kist.Pods.Guest;

namespace Kist.Pods.Tests;

public class CpioWriterTests
{
    [Fact]
    public void Finish_SmallTree_HasTheExpectedBytes()
    {
        using var output = new MemoryStream();
        var cpio = new CpioWriter(output);
        cpio.AddFile("a", 0x1a4, "hi"u8);
        cpio.Finish();

        // newc by the kernel's buffer-format.rst: 110 bytes of header, name and data padded to 4, the whole to 512.
        var expected =
            "070701" + "00000001" + "000081A4" + "00000000" + "00000000" + "00000001" + "00000000" + "00000002"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000002" + "00000000" + "a\0" + "hi\0\0"
            + "070701" + "00000000" + "00000000" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000"
            + "00000000" + "00000000" + "00000000" + "00000000" + "0000000B" + "00000000" + "TRAILER!!!\0";
        Assert.Equal(expected, Encoding.ASCII.GetString(output.ToArray())[..expected.Length]);
        Assert.Equal(512, output.Length);
    }

    [Fact]
    public async Task Finish_TreeWithEveryKind_IsWhatCpioReads()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/cpio"), "cpio is not installed");
        using var output = new MemoryStream();
        var cpio = new CpioWriter(output);
        cpio.AddDirectory("dev");
        cpio.AddCharacterDevice("dev/null", 0x1b6, 1, 3);
        cpio.AddFile("init", 0x1ed, new byte[5000]);
        cpio.Finish();
        var start = new ProcessStartInfo("/usr/bin/cpio", ["-itv", "--quiet", "--numeric-uid-gid"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;

        await process.StandardInput.BaseStream.WriteAsync(output.ToArray(), TestContext.Current.CancellationToken);
        process.StandardInput.Close();
        var lines = (await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(3, lines.Length);
        Assert.StartsWith("drwxr-xr-x", lines[0], StringComparison.Ordinal);
        Assert.Matches(@"\Acrw-rw-rw-.* 1, +3 .*dev/null\z", lines[1]);
        Assert.Matches(@"\A-rwxr-xr-x.* 5000 .*init\z", lines[2]);
    }

    [Theory]
    [InlineData("/abs")]
    [InlineData("a/../b")]
    [InlineData("")]
    public void Add_PathIsNotPlain_IsRefused(string path) =>
        Assert.Throws<ArgumentException>(() => new CpioWriter(Stream.Null).AddDirectory(path));
}
