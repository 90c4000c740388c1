using System.Runtime.InteropServices;

namespace Kist.Linux.Files;

/// <summary>
/// Memory straight from the kernel (mmap(2), MAP_ANONYMOUS), in huge pages where there are any: for buffers of megabytes that
/// are filled once and given back at once, which a garbage collector would keep. It is zero at first.
/// </summary>
public sealed unsafe partial class AnonymousMemory : SafeHandle
{
    private const int ReadWrite = 3; // PROT_READ | PROT_WRITE
    private const int PrivateAnonymous = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS
    private const int HugePageAdvice = 14; // MADV_HUGEPAGE
    private static readonly nint s_failed = -1; // MAP_FAILED

    private readonly int _length;

    private AnonymousMemory(nint address, int length) : base(s_failed, ownsHandle: true)
    {
        SetHandle(address);
        _length = length;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == s_failed;

    /// <summary>The memory; only as long as this is not disposed.</summary>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return new Span<byte>((void*)handle, _length);
        }
    }

    /// <summary>Takes memory.</summary>
    /// <exception cref="SystemCallException">There is none.</exception>
    public static AnonymousMemory Allocate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        var address = mmap(0, (nuint)length, ReadWrite, PrivateAnonymous, -1, 0);
        if (address == s_failed)
            throw SystemCallException.Last("allocate memory", $"{length} bytes");
        // Advice that is not taken does no harm.
        _ = madvise(address, (nuint)length, HugePageAdvice);
        return new AnonymousMemory(address, length);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => munmap(handle, (nuint)_length) == 0;

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nuint length);
}
