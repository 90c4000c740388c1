using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>
/// Interfaces, addresses and routes of this network namespace by rtnetlink(7), IPv4 and IPv6. Every request waits for the
/// kernel's answer.
/// <code>
/// nlmsghdr (16 bytes): 0x00 4 length, 0x04 2 type, 0x06 2 flags, 0x08 4 sequence, 0x0c 4 sender
/// then ifinfomsg (16), ifaddrmsg (8) or rtmsg (12), then attributes: 2 length, 2 type, value, padded to 4
/// </code>
/// </summary>
public sealed partial class RouteNetlink : IDisposable
{
    private const int Netlink = 16, Raw = 3, CloseOnExec = 0x80000;
    private const ushort NewLink = 16, NewAddress = 20, NewRoute = 24, ErrorAnswer = 2;
    private const ushort Request = 1, Acknowledge = 4, Replace = 0x100, Create = 0x400;
    private const ushort LinkName = 3, LinkMtu = 4, Address = 1, LocalAddress = 2, AddressFlags = 8;
    private const ushort Destination = 1, OutputInterface = 4, Gateway = 5, PreferredSource = 7;
    private const uint Up = 1, NoDuplicateDetection = 2, OnLink = 4;
    private const byte InterNetwork = 2, InterNetwork6 = 10, MainTable = 254, ProtocolStatic = 4, ScopeLink = 253, Unicast = 1;

    private readonly SafeFileHandle _socket;
    private uint _sequence;

    /// <summary>Opens a connection to the kernel.</summary>
    public RouteNetlink()
    {
        _socket = socket(Netlink, Raw | CloseOnExec, 0);
        if (_socket.IsInvalid)
            throw SystemCallException.Last("open", "netlink socket");
    }

    /// <summary>Renames an interface, which must be down.</summary>
    public void Rename(int index, string name) =>
        Send(NewLink, Request | Acknowledge, Link(index, 0), $"rename interface {index} to {name}", (LinkName, Encoding.ASCII.GetBytes(name + "\0")));

    /// <summary>Sets an interface's MTU.</summary>
    public void SetMtu(int index, uint mtu) =>
        Send(NewLink, Request | Acknowledge, Link(index, 0), $"set MTU {mtu} of interface {index}", (LinkMtu, BitConverter.GetBytes(mtu)));

    /// <summary>Brings an interface up.</summary>
    public void BringUp(int index) => Send(NewLink, Request | Acknowledge, Link(index, Up), $"bring up interface {index}");

    /// <summary>Gives an interface an address. IPv6 addresses are usable at once.</summary>
    public void AddAddress(int index, IPAddress address, int prefixLength)
    {
        var body = new byte[8];
        body[0] = FamilyOf(address);
        body[1] = checked((byte)prefixLength);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), index);
        var bytes = address.GetAddressBytes();
        var subject = $"add address {address}/{prefixLength} to interface {index}";
        if (body[0] == InterNetwork)
            Send(NewAddress, Request | Acknowledge | Create | Replace, body, subject, (LocalAddress, bytes), (Address, bytes));
        else
            Send(NewAddress, Request | Acknowledge | Create | Replace, body, subject, (Address, bytes), (AddressFlags, BitConverter.GetBytes(NoDuplicateDetection)));
    }

    /// <summary>Adds a route of the main table.</summary>
    /// <param name="destination">Null for the default route.</param>
    /// <param name="prefixLength">Bits of the destination; 0 for the default route.</param>
    /// <param name="gateway">Null if the destination is on the link; one of the two addresses must be there, to tell the family.</param>
    /// <param name="index">The interface.</param>
    /// <param name="source">The address to prefer; null for the kernel's choice.</param>
    /// <param name="onLink">True if no address of the interface says that the gateway is reachable.</param>
    public void AddRoute(IPAddress? destination, int prefixLength, IPAddress? gateway, int index, IPAddress? source, bool onLink)
    {
        var body = new byte[12];
        body[0] = FamilyOf(destination ?? gateway ?? throw new ArgumentException("a route has a destination or a gateway", nameof(gateway)));
        body[1] = checked((byte)prefixLength);
        body[4] = MainTable;
        body[5] = ProtocolStatic;
        body[6] = gateway is null && body[0] == InterNetwork ? ScopeLink : (byte)0;
        body[7] = Unicast;
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(8), onLink ? OnLink : 0);
        var attributes = new List<(ushort, byte[])> { (OutputInterface, BitConverter.GetBytes(index)) };
        if (destination is not null)
            attributes.Add((Destination, destination.GetAddressBytes()));
        if (gateway is not null)
            attributes.Add((Gateway, gateway.GetAddressBytes()));
        if (source is not null)
            attributes.Add((PreferredSource, source.GetAddressBytes()));
        Send(NewRoute, Request | Acknowledge | Create | Replace, body, $"add route to {destination?.ToString() ?? "default"}/{prefixLength} by {gateway}", [.. attributes]);
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static byte FamilyOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? InterNetwork6 : InterNetwork;

    private static byte[] Link(int index, uint flags)
    {
        var body = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), index);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(8), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(12), flags);
        return body;
    }

    private void Send(ushort type, int flags, ReadOnlySpan<byte> body, string subject, params (ushort Type, byte[] Value)[] attributes)
    {
        var message = Build(type, (ushort)flags, ++_sequence, body, attributes);
        if (send(_socket, message, (nuint)message.Length, 0) != message.Length)
            throw SystemCallException.Last("send to kernel", subject);
        Span<byte> answer = stackalloc byte[4096];
        var length = (int)recv(_socket, answer, (nuint)answer.Length, 0);
        if (length < 20)
            throw SystemCallException.Last("hear from kernel", subject);
        // nlmsgerr: after the header, minus the error number; 0 acknowledges.
        if (BinaryPrimitives.ReadUInt16LittleEndian(answer[4..]) != ErrorAnswer)
            throw new Kist.Formats.OperationFailedException("configure network", subject, "the kernel's answer is no acknowledgement");
        var error = -BinaryPrimitives.ReadInt32LittleEndian(answer[16..]);
        if (error != 0)
            throw new SystemCallException("configure network", subject, error);
    }

    internal static byte[] Build(ushort type, ushort flags, uint sequence, ReadOnlySpan<byte> body, IReadOnlyList<(ushort Type, byte[] Value)> attributes)
    {
        var message = new byte[16 + body.Length + attributes.Sum(a => 4 + Padded(a.Value.Length))];
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(8), sequence);
        body.CopyTo(message.AsSpan(16));
        var offset = 16 + body.Length;
        foreach (var (kind, value) in attributes)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(offset), (ushort)(4 + value.Length));
            BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(offset + 2), kind);
            value.CopyTo(message, offset + 4);
            offset += 4 + Padded(value.Length);
        }

        return message;
    }

    private static int Padded(int length) => (length + 3) & ~3;

    [LibraryImport("libc", SetLastError = true)]
    private static partial SafeFileHandle socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(SafeFileHandle socket, ReadOnlySpan<byte> bytes, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(SafeFileHandle socket, Span<byte> bytes, nuint length, int flags);
}
