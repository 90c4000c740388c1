using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Kist.Linux.Network;

/// <summary>
/// Addresses and routes of network interfaces by the classic ioctls (linux/sockios.h).
/// <code>
/// struct ifreq (40 bytes): 0x00 16 name; 0x10 16 sockaddr_in { 2 family, 2 port, 4 address, 8 zero } or 2 flags
/// struct rtentry (120 bytes): 0x08 16 destination, 0x18 16 gateway, 0x28 16 genmask, 0x38 2 flags
/// </code>
/// </summary>
public static partial class NetworkInterfaces
{
    private const uint SetAddress = 0x8916, SetMask = 0x891c, GetFlags = 0x8913, SetFlags = 0x8914, AddRoute = 0x890b;
    private const ushort InterNetwork = 2, Up = 1, RouteUp = 1, RouteGateway = 2;

    /// <summary>Brings an interface up without changing its address.</summary>
    public static void BringUp(string name)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Span<byte> request = stackalloc byte[40];
        WriteName(request, name);
        Call(socket, GetFlags, request, "read flags", name);
        var flags = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(request[16..]) | Up);
        BinaryPrimitives.WriteUInt16LittleEndian(request[16..], flags);
        Call(socket, SetFlags, request, "bring up", name);
    }

    /// <summary>Gives an interface an IPv4 address and mask, and brings it up.</summary>
    public static void Configure(string name, IPAddress address, IPAddress mask)
    {
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
        {
            Span<byte> request = stackalloc byte[40];
            WriteName(request, name);
            WriteAddress(request[16..], address);
            Call(socket, SetAddress, request, $"set address {address}", name);
            WriteAddress(request[16..], mask);
            Call(socket, SetMask, request, $"set mask {mask}", name);
        }

        BringUp(name);
    }

    /// <summary>Adds the default IPv4 route.</summary>
    public static void AddDefaultRoute(IPAddress gateway)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Span<byte> request = stackalloc byte[120];
        WriteAddress(request[0x08..], IPAddress.Any);
        WriteAddress(request[0x18..], gateway);
        WriteAddress(request[0x28..], IPAddress.Any);
        BinaryPrimitives.WriteUInt16LittleEndian(request[0x38..], RouteUp | RouteGateway);
        Call(socket, AddRoute, request, "add default route", gateway.ToString());
    }

    private static void WriteName(Span<byte> request, string name)
    {
        if (name.Length is 0 or > 15)
            throw new ArgumentException("an interface name has 1 to 15 bytes", nameof(name));
        Encoding.ASCII.GetBytes(name, request);
    }

    private static void WriteAddress(Span<byte> field, IPAddress address)
    {
        field[..16].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(field, InterNetwork);
        if (!address.TryWriteBytes(field[4..8], out var written) || written != 4)
            throw new ArgumentException("must be an IPv4 address", nameof(address));
    }

    private static void Call(Socket socket, uint request, Span<byte> block, string step, string subject) =>
        SystemCallException.Check(ioctl(socket.SafeHandle, request, block), step, subject);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeSocketHandle socket, nuint request, Span<byte> block);
}
