using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Enclaves;

/// <summary>
/// The addresses of one enclave (ELRANGE): as many as its size, aligned to its size, which is a power of two (SDM vol. 3D, ECREATE).
/// Nothing can be read there before pages of the device are mapped.
/// </summary>
public sealed unsafe partial class EnclaveRange : IDisposable
{
    private const int PageSize = 4096, None = 0, Shared = 0x01, PrivateAnonymous = 0x22, Fixed = 0x10, NoReserve = 0x4000;

    private byte* _address;

    private EnclaveRange(byte* address, ulong size)
    {
        _address = address;
        Size = size;
    }

    /// <summary>The first address.</summary>
    public ulong Address => (ulong)_address;

    /// <summary>Bytes.</summary>
    public ulong Size { get; }

    /// <summary>Reserves addresses.</summary>
    /// <param name="size">Bytes: a power of two, and at least a page.</param>
    public static EnclaveRange Reserve(ulong size)
    {
        if (size < PageSize || (size & (size - 1)) != 0 || size > 1UL << 46)
            throw new ArgumentOutOfRangeException(nameof(size), size, "an enclave's size is a power of two");
        // Twice as many hold an aligned range; what lies around it is given back.
        var whole = (byte*)mmap(null, (nuint)size * 2, None, PrivateAnonymous | NoReserve, -1, 0);
        if ((nint)whole == -1)
            throw SystemCallException.Last("reserve addresses", "enclave");
        var start = (byte*)(((ulong)whole + size - 1) & ~(size - 1));
        if (start > whole)
            SystemCallException.Check(munmap(whole, (nuint)(start - whole)), "give back addresses", "enclave");
        SystemCallException.Check(munmap(start + size, (nuint)(whole + (2 * size) - (start + size))), "give back addresses", "enclave");
        return new EnclaveRange(start, size);
    }

    /// <summary>Maps pages of the device over reserved ones.</summary>
    internal void Map(SafeFileHandle device, ulong offset, ulong length, int protection)
    {
        ObjectDisposedException.ThrowIf(_address is null, this);
        if (offset % PageSize != 0 || length % PageSize != 0 || length == 0 || offset > Size || length > Size - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, "the pages lie outside the enclave");
        if ((nint)mmap(_address + offset, (nuint)length, protection, Shared | Fixed, (int)device.DangerousGetHandle(), 0) == -1)
            throw SystemCallException.Last("map enclave pages", $"0x{offset:x} to 0x{offset + length:x}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_address is null)
            return;
        _ = munmap(_address, (nuint)Size);
        _address = null;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(void* address, nuint length);
}
