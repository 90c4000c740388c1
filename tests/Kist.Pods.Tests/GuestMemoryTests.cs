using Kist.Formats;
using Kist.Pods.Guest;

namespace Kist.Pods.Tests;

public class GuestMemoryTests
{
    [Fact]
    public void UnpackedBytes_OfAnArchive_AreWholePagesAndAnEntryEach() =>
        Assert.Equal((3 * 4096) + (4 * 1024), GuestMemory.UnpackedBytes(Archive()));

    [Fact]
    public void MinimumMebibytes_GrowsByThreeTimesTheFiles()
    {
        var (small, large) = (GuestMemory.MinimumMebibytes(Archive()), GuestMemory.MinimumMebibytes(Archive(16 << 20)));

        Assert.Equal(small + 48, large);
    }

    [Fact]
    public void UnpackedBytes_OfEveryTruncation_IsRefused()
    {
        var archive = Archive();
        // What follows the end marker is padding.
        var end = archive.AsSpan().IndexOf("TRAILER!!!\0"u8) + "TRAILER!!!\0".Length;
        for (var length = 0; length < end; length++)
            Assert.Throws<MalformedDataException>(() => GuestMemory.UnpackedBytes(archive.AsSpan(0, length)));
        Assert.Equal(GuestMemory.UnpackedBytes(archive), GuestMemory.UnpackedBytes(archive.AsSpan(0, end)));
    }

    [Theory]
    [InlineData(0, (byte)'1')] // the magic
    [InlineData(54, (byte)'g')] // a size that is no number
    [InlineData(54, (byte)'F')] // a size beyond the archive
    [InlineData(94, (byte)'F')] // a name beyond the archive
    public void UnpackedBytes_OfAMalformedHeader_IsRefused(int offset, byte value)
    {
        var archive = Archive();
        archive[offset] = value;

        Assert.Throws<MalformedDataException>(() => GuestMemory.UnpackedBytes(archive));
    }

    private static byte[] Archive(int size = 5000)
    {
        using var output = new MemoryStream();
        var cpio = new CpioWriter(output);
        cpio.AddDirectory("dev");
        cpio.AddCharacterDevice("dev/null", 0x1b6, 1, 3);
        cpio.AddFile("init", 0x1ed, new byte[size]);
        cpio.AddFile("one", 0x1ed, new byte[1]);
        cpio.Finish();
        return output.ToArray();
    }
}
