using Kist.Linux.Devices;
using Kist.Linux.Files;
using Kist.Linux.Terminals;

namespace Kist.Linux.Tests;

public class KernelInterfaceTests
{
    // linux/tdx-guest.h: TDX_CMD_GET_REPORT0 is _IOWR('T', 1, struct of 64 + 1024 bytes).
    [Fact]
    public void ReadWriteRequest_TdxReport_HasTheHeadersNumber() =>
        Assert.Equal(0xc4405401, DeviceControl.ReadWriteRequest('T', 1, 1088));

    // sys/sysmacros.h makedev: /dev/null is 1:3; large numbers spread over both halves.
    [Theory]
    [InlineData(1u, 3u, 0x103ul)]
    [InlineData(0x12345u, 0x6789au, 0x000120006783459aul)]
    public void DeviceNumber_MajorMinor_IsAsMakedev(uint major, uint minor, ulong expected) =>
        Assert.Equal(expected, DirectoryRoot.DeviceNumber(major, minor));

    [Fact]
    public void TerminalSize_SetOnAPseudoTerminal_IsRead()
    {
        using var master = File.OpenHandle("/dev/ptmx", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);

        new TerminalSize(50, 132).Set(master);

        Assert.Equal(new TerminalSize(50, 132), TerminalSize.Get(master));
        Assert.True(RawTerminal.IsTerminal(master));
    }

    [Fact]
    public void TerminalSize_OfAFile_IsRefused()
    {
        using var file = File.OpenHandle("/dev/null");

        Assert.Equal(Errno.ENOTTY, Assert.Throws<SystemCallException>(() => TerminalSize.Get(file)).Errno);
    }
}
