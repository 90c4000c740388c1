using System.Buffers.Binary;
using System.Text;
using Kist.Linux.Devices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>An interface whose other end is an open file (tuntap.txt of the kernel): it is gone when the last copy of the file is closed.</summary>
public static class TapDevice
{
    private const uint SetInterface = 0x400454ca; // TUNSETIFF
    private const ushort Tap = 2, NoPacketInformation = 0x1000, VirtioHeader = 0x4000;

    /// <summary>Makes one in the calling thread's network namespace.</summary>
    public static SafeFileHandle Create(string name)
    {
        if (name.Length is 0 or > 15)
            throw new ArgumentException("an interface name has 1 to 15 bytes", nameof(name));
        var file = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        try
        {
            Span<byte> request = stackalloc byte[40];
            request.Clear();
            Encoding.ASCII.GetBytes(name, request);
            BinaryPrimitives.WriteUInt16LittleEndian(request[16..], Tap | NoPacketInformation | VirtioHeader);
            DeviceControl.Call(file, SetInterface, request, "make tap device", name);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
