using System.Runtime.InteropServices;
using Kist.Enclaves.Images;
using Kist.Enclaves.Loading;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Linux.Enclaves;

namespace Kist.Enclaves.Tests.Loading;

/// <summary>Loader, mappings and entry together. There is no SGX here: a device and a function take the kernel's place.</summary>
public sealed unsafe class HardwareEnclaveTests
{
    private static readonly SgxAttributes s_attributes = new(EnclaveTraits.Mode64Bit, 3);
    private static int s_resumed;
    private static bool s_faults;

    private static EnclaveImage Image => new(0x10000, 1,
    [
        new EnclavePage(0x1000, SecInfo.ReadExecutePage, default, true),
        new EnclavePage(0x0000, SecInfo.ReadExecutePage, default, true),
        new EnclavePage(0x2000, SecInfo.ReadWritePage, default, false),
        new EnclavePage(0x3000, SecInfo.TcsPage, default, true),
        new EnclavePage(0x6000, SecInfo.TcsPage, default, true),
        new EnclavePage(0x7000, 0x200, default, true),
    ]);

    [Fact]
    public void Load_Image_IsCreatedAtItsRangeAndMappedAsItsPagesAllow()
    {
        using var device = new EnclaveLoaderTests.FakeDevice();
        using var enclave = Load(device);
        Assert.Equal(enclave.BaseAddress, device.Secs!.BaseAddress);
        Assert.Equal(0ul, enclave.BaseAddress % 0x10000);
        Assert.True(device.IsInitialized);
        // The page without rights is not mapped; a TCS is, for the processor.
        Assert.Equal([(0ul, 0x2000ul, 5), (0x2000ul, 0x2000ul, 3), (0x6000ul, 0x1000ul, 3)], device.Mappings);
        Assert.Equal(2, enclave.Threads);
    }

    [Fact]
    public void TakeThread_MoreThanThereAre_IsRefusedUntilOneIsBack()
    {
        using var device = new EnclaveLoaderTests.FakeDevice();
        using var enclave = Load(device);
        var first = enclave.TakeThread();
        using var second = enclave.TakeThread();
        Assert.Throws<OperationFailedException>(() => enclave.TakeThread());
        Assert.Equal(EnclaveExitKind.Returned, first.Call((1, 2, 3, 4, 5)).Kind);
        first.Dispose();
        first.Dispose();
        using var again = enclave.TakeThread();
        Assert.Throws<OperationFailedException>(() => enclave.TakeThread());
        Assert.Throws<ObjectDisposedException>(() => first.Call(default));
    }

    [Fact]
    public void Resume_AfterAnException_GoesOnWithTheSameThread()
    {
        using var device = new EnclaveLoaderTests.FakeDevice();
        using var enclave = Load(device);
        var thread = enclave.TakeThread();
        Assert.Throws<OperationFailedException>(() => thread.Resume());
        s_faults = true;
        Assert.Equal(EnclaveExitKind.Exception, thread.Call(default).Kind);
        s_faults = false;
        s_resumed = 0;
        Assert.Equal(EnclaveExitKind.Returned, thread.Resume().Kind);
        Assert.Equal(1, s_resumed);
        s_faults = true;
        thread.Call(default);
        s_faults = false;
        // Its state is still in the enclave: whoever came next would go on where this one was.
        thread.Dispose();
        using var other = enclave.TakeThread();
        Assert.Throws<OperationFailedException>(() => enclave.TakeThread());
    }

    [Fact]
    public void Load_EnclaveWithoutAThread_IsRefused()
    {
        using var device = new EnclaveLoaderTests.FakeDevice();
        var image = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, default, true)]);
        Assert.Throws<MalformedDataException>(() => HardwareEnclave.Load(device, Provision, Entry(), image, s_attributes, EnclaveLoaderTests.Sign(image, s_attributes), null));
    }

    [Fact]
    public void Load_MachineWithoutTheDevice_SaysWhatIsMissing()
    {
        Assert.SkipWhen(File.Exists("/dev/sgx_enclave"), "this machine has SGX");
        var error = Assert.Throws<OperationFailedException>(() => HardwareEnclave.Load(Image, s_attributes, EnclaveLoaderTests.Sign(Image, s_attributes)));
        Assert.Contains("/dev/sgx_enclave", error.Message, StringComparison.Ordinal);
    }

    private static HardwareEnclave Load(EnclaveLoaderTests.FakeDevice device) =>
        HardwareEnclave.Load(device, Provision, Entry(), Image, s_attributes, EnclaveLoaderTests.Sign(Image, s_attributes), null);

    private static Microsoft.Win32.SafeHandles.SafeFileHandle Provision() => File.OpenHandle("/dev/null");

    private static EnclaveEntry Entry()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "SGX exists on x86-64 only");
        return new EnclaveEntry((nint)(delegate* unmanaged<ulong, ulong, ulong, uint, ulong, ulong, byte*, int>)&Enter);
    }

    [UnmanagedCallersOnly]
    private static int Enter(ulong rdi, ulong rsi, ulong rdx, uint function, ulong r8, ulong r9, byte* run)
    {
        if (function == 3)
            s_resumed++;
        if (s_faults)
            return -14;
        *(uint*)(run + 8) = 4;
        return 0;
    }
}
