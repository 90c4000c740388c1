using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Isolation;

/// <summary>
/// Memory for keys that not even the kernel maps (memfd_secret(2)), so that neither a debugger nor another process nor a
/// read of /proc/self/mem sees it. Where the kernel has none, locked memory that is kept out of core dumps takes its
/// place, and <see cref="IsSecret"/> says so.
/// </summary>
public sealed unsafe partial class SecretMemory : IDisposable
{
    private const int SystemMemfdSecret = 447;
    private const int CloseOnExec = 0x80000;
    private const int ReadWrite = 3, Shared = 1, Private = 2, Anonymous = 0x20;
    private const int DontDump = 16, DontFork = 10;
    private const nuint PageSize = 4096;

    private readonly nuint _mapped;
    private byte* _address;

    /// <summary>Maps zeroed memory.</summary>
    /// <param name="length">Usable bytes, 1 to 64 KiB.</param>
    public SecretMemory(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 64 * 1024);
        Length = length;
        _mapped = ((nuint)length + PageSize - 1) & ~(PageSize - 1);
        var address = MapSecret();
        IsSecret = address != -1;
        if (!IsSecret)
            address = MapLocked();
        _address = (byte*)address;
    }

    /// <summary>Usable bytes.</summary>
    public int Length { get; }

    /// <summary>True if the kernel itself has no mapping of it.</summary>
    public bool IsSecret { get; }

    /// <summary>Where it lies.</summary>
    internal nint Address => (nint)_address;

    /// <summary>The memory.</summary>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_address is null, this);
            return new(_address, Length);
        }
    }

    /// <summary>Zeroes and unmaps it.</summary>
    public void Dispose()
    {
        if (_address is null)
            return;
        CryptographicOperations.ZeroMemory(Span);
        _ = munmap((nint)_address, _mapped);
        _address = null;
    }

    private nint MapSecret()
    {
        var descriptor = syscall(SystemMemfdSecret, CloseOnExec, 0, 0);
        if (descriptor < 0)
            return -1;
        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        return ftruncate(file, (nint)_mapped) != 0 ? -1 : mmap(0, _mapped, ReadWrite, Shared, (int)file.DangerousGetHandle(), 0);
    }

    private nint MapLocked()
    {
        var address = mmap(0, _mapped, ReadWrite, Private | Anonymous, -1, 0);
        if (address == -1)
            throw SystemCallException.Last("map", "secret memory");
        if (mlock(address, _mapped) == 0 && madvise(address, _mapped, DontDump) == 0 && madvise(address, _mapped, DontFork) == 0)
            return address;
        var error = SystemCallException.Last("lock", "secret memory");
        _ = munmap(address, _mapped);
        throw error;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(SafeFileHandle file, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mlock(nint address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(nint address, nuint length, int advice);
}
