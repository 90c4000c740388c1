using System.Runtime.InteropServices;

namespace Kist.Linux.Isolation;

/// <summary>Reading a process that this one supervises (process_vm_readv(2)).</summary>
public static unsafe partial class ProcessMemory
{
    private const ulong PageSize = 4096;

    /// <summary>
    /// Reads a zero-terminated string; null if the memory cannot be read or the string does not end within
    /// <paramref name="limit"/> bytes.
    /// </summary>
    public static byte[]? ReadString(int threadId, ulong address, int limit)
    {
        var buffer = new byte[limit];
        var length = 0;
        while (length < limit)
        {
            // A page at a time: what lies behind the string's own page may not be mapped.
            var here = address + (ulong)length;
            var size = (int)Math.Min(PageSize - (here % PageSize), (ulong)(limit - length));
            var read = Read(threadId, here, buffer.AsSpan(length, size));
            if (read <= 0)
                return null;
            var end = buffer.AsSpan(length, read).IndexOf((byte)0);
            if (end >= 0)
                return buffer[..(length + end)];
            length += read;
        }

        return null;
    }

    /// <summary>Reads bytes; the number read, or -1 if the memory cannot be read.</summary>
    public static int Read(int threadId, ulong address, Span<byte> destination)
    {
        fixed (byte* target = destination)
        {
            var local = new Vector { Base = (nint)target, Length = (nuint)destination.Length };
            var remote = new Vector { Base = (nint)address, Length = (nuint)destination.Length };
            return (int)process_vm_readv(threadId, &local, 1, &remote, 1, 0);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        public nint Base;
        public nuint Length;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint process_vm_readv(int pid, Vector* local, nuint localCount, Vector* remote, nuint remoteCount, nuint flags);
}
