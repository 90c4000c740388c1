using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>
/// A file's bytes as memory to read (mmap(2), MAP_SHARED): nothing is copied. For files that nobody else can shorten: whoever
/// reads behind the end of such a file is killed (SIGBUS).
/// </summary>
public sealed unsafe partial class MappedFile : SafeHandle
{
    private const int Read = 1; // PROT_READ
    private const int Shared = 1; // MAP_SHARED
    private const int PopulateRead = 22; // MADV_POPULATE_READ, since Linux 5.14
    private static readonly nint s_failed = -1; // MAP_FAILED

    private readonly nint _length;

    private MappedFile(nint address, nint length) : base(s_failed, ownsHandle: true)
    {
        SetHandle(address);
        _length = length;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == s_failed;

    /// <summary>Maps a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="length">How much of it; more than 0 and no more than it has.</param>
    /// <exception cref="SystemCallException">The file cannot be mapped.</exception>
    public static MappedFile Open(SafeFileHandle file, long length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, RandomAccess.GetLength(file));
        var address = mmap(0, (nuint)length, Read, Shared, file, 0);
        return address == s_failed ? throw SystemCallException.Last("map file", $"{length} bytes") : new MappedFile(address, (nint)length);
    }

    /// <summary>A part of the file; only as long as this is not disposed. It is brought into memory at once.</summary>
    /// <param name="offset">Where it begins: a multiple of 4096.</param>
    /// <param name="length">How much.</param>
    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, _length - length);
        // Where the kernel is too old, the pages come one by one.
        _ = madvise(handle + (nint)offset, (nuint)length, PopulateRead);
        return new ReadOnlySpan<byte>((void*)(handle + (nint)offset), length);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => munmap(handle, (nuint)_length) == 0;

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, SafeFileHandle file, nint offset);

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nuint length);
}
