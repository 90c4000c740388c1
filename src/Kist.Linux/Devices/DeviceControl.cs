using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Devices;

/// <summary>ioctl(2) with a block of memory, and the numbers of its requests (asm-generic/ioctl.h).</summary>
public static partial class DeviceControl
{
    /// <summary>_IO(type, number).</summary>
    public static uint Request(char type, byte number) => ((uint)type << 8) | number;

    /// <summary>_IOWR(type, number, size).</summary>
    public static uint ReadWriteRequest(char type, byte number, ushort size) => (3u << 30) | ((uint)size << 16) | Request(type, number);

    /// <summary>Calls a request that reads and writes <paramref name="block"/>.</summary>
    public static int Call(SafeFileHandle device, uint request, Span<byte> block, string step, string subject) =>
        SystemCallException.Check(ioctl(device, request, block), step, subject);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle device, nuint request, Span<byte> block);
}
