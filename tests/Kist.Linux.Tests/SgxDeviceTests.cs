using System.Runtime.CompilerServices;
using Kist.Linux.Devices;

namespace Kist.Linux.Tests;

public sealed class SgxDeviceTests
{
    /// <summary>_IOW and _IOWR of magic 0xa4 with the structures' sizes (asm-generic/ioctl.h, asm/sgx.h).</summary>
    [Fact]
    public void Requests_OfTheKernelHeader_AreThoseOfTheFormula()
    {
        static uint Request(uint direction, uint size, uint number) => (direction << 30) | (size << 16) | (0xa4u << 8) | number;
        Assert.Equal(SgxDevice.CreateRequest, Request(1, 8, 0));
        Assert.Equal(SgxDevice.AddPagesRequest, Request(3, (uint)Unsafe.SizeOf<SgxDevice.AddPagesBlock>(), 1));
        Assert.Equal(SgxDevice.InitializeRequest, Request(1, 8, 2));
        Assert.Equal(SgxDevice.ProvisionRequest, Request(1, 8, 3));
    }

    [Fact]
    public void Create_OnAFileThatIsNoDevice_FailsWithTheStep()
    {
        using var device = SgxDevice.Open("/dev/null");
        var error = Assert.Throws<SystemCallException>(() => device.Create(new byte[4096]));
        Assert.Equal("ECREATE", error.Step);
        Assert.Equal(Errno.ENOTTY, error.Errno);
        Assert.Throws<SystemCallException>(() => device.AddPages(new byte[4096], 0, new byte[64], measure: true));
        Assert.Throws<SystemCallException>(() => device.Initialize(new byte[1808]));
        Assert.Throws<ArgumentException>(() => device.AddPages(new byte[100], 0, new byte[64], measure: true));
    }
}
