using System.Runtime.InteropServices;
using Kist.Linux.Enclaves;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Devices;

/// <summary>The kernel's own device.</summary>
public sealed unsafe partial class SgxDevice : ISgxDevice, IDisposable
{
    /// <summary>Where the kernel has it.</summary>
    public const string Path = "/dev/sgx_enclave";

    /// <summary>SGX_IOC_ENCLAVE_CREATE.</summary>
    public const uint CreateRequest = 0x4008a400;

    /// <summary>SGX_IOC_ENCLAVE_ADD_PAGES.</summary>
    public const uint AddPagesRequest = 0xc030a401;

    /// <summary>SGX_IOC_ENCLAVE_INIT.</summary>
    public const uint InitializeRequest = 0x4008a402;

    /// <summary>SGX_IOC_ENCLAVE_PROVISION.</summary>
    public const uint ProvisionRequest = 0x4008a403;

    private const ulong MeasureFlag = 1;
    private const int PageSize = 4096;

    private readonly SafeFileHandle _device;

    private SgxDevice(SafeFileHandle device) => _device = device;

    /// <summary>The device's open file, for mapping the enclave.</summary>
    public SafeFileHandle Handle => _device;

    /// <summary>Opens the device; every open file is one enclave.</summary>
    public static SgxDevice Open(string path = Path) =>
        new(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite));

    /// <inheritdoc/>
    public void Create(ReadOnlySpan<byte> secs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(secs.Length, PageSize, nameof(secs));
        using var aligned = new AlignedCopy(secs, PageSize);
        var block = (ulong)aligned.Address;
        SystemCallException.Check(ioctl(_device, CreateRequest, &block), "ECREATE", Path);
    }

    /// <inheritdoc/>
    public long AddPages(ReadOnlySpan<byte> content, ulong offset, ReadOnlySpan<byte> secInfo, bool measure)
    {
        if (content.Length == 0 || content.Length % PageSize != 0)
            throw new ArgumentException("whole pages are added", nameof(content));
        ArgumentOutOfRangeException.ThrowIfNotEqual(secInfo.Length, 64, nameof(secInfo));
        using var source = new AlignedCopy(content, PageSize);
        using var info = new AlignedCopy(secInfo, 64);
        var block = new AddPagesBlock
        {
            Source = (ulong)source.Address,
            Offset = offset,
            Length = (ulong)content.Length,
            SecInfo = (ulong)info.Address,
            Flags = measure ? MeasureFlag : 0,
        };
        var result = ioctl(_device, AddPagesRequest, &block);
        if (result != 0 && Marshal.GetLastPInvokeError() is not (Errno.EINTR or Errno.EAGAIN))
            throw SystemCallException.Last("EADD", Path);
        return (long)block.Count;
    }

    /// <inheritdoc/>
    public void AllowProvisioning(SafeFileHandle provisionDevice)
    {
        var block = (ulong)provisionDevice.DangerousGetHandle();
        SystemCallException.Check(ioctl(_device, ProvisionRequest, &block), "allow provisioning", Path);
    }

    /// <inheritdoc/>
    public int Initialize(ReadOnlySpan<byte> sigstruct)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sigstruct.Length, 1808, nameof(sigstruct));
        using var aligned = new AlignedCopy(sigstruct, PageSize);
        var block = (ulong)aligned.Address;
        return SystemCallException.Check(ioctl(_device, InitializeRequest, &block), "EINIT", Path);
    }

    /// <inheritdoc/>
    public void Map(EnclaveRange range, ulong offset, ulong length, int protection) => range.Map(_device, offset, length, protection);

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    /// <summary>struct sgx_enclave_add_pages.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct AddPagesBlock
    {
        public ulong Source;
        public ulong Offset;
        public ulong Length;
        public ulong SecInfo;
        public ulong Flags;
        public ulong Count;
    }

    /// <summary>The processor takes its operands at aligned addresses only.</summary>
    private readonly ref struct AlignedCopy
    {
        private readonly byte* _memory;

        public AlignedCopy(ReadOnlySpan<byte> source, int alignment)
        {
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)source.Length, (nuint)alignment);
            source.CopyTo(new Span<byte>(_memory, source.Length));
        }

        public nint Address => (nint)_memory;

        public void Dispose() => NativeMemory.AlignedFree(_memory);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle device, nuint request, void* block);
}
