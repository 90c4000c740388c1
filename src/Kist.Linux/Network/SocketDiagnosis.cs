using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>
/// Asks the kernel which cgroup made a TCP socket of this network namespace (sock_diag(7); linux/inet_diag.h). The answer is
/// of the socket's making: handing the socket on to a process elsewhere does not change it. Needs the module tcp_diag.
/// <code>
/// request: nlmsghdr { 4 length, 2 type 20, 2 flags, 4 sequence, 4 port }
///          inet_diag_req_v2 { 1 family, 1 protocol, 1 extensions, 1 pad, 4 states }, inet_diag_sockid
/// inet_diag_sockid (48 bytes): 2 source port, 2 destination port (big-endian), 16 source, 16 destination, 4 interface, 8 cookie
/// answer:  nlmsghdr; inet_diag_msg { 1 family, 1 state, 1 timer, 1 retransmits, sockid, 4×5 numbers } (72 bytes); attributes
/// attribute: 2 length, 2 type, payload padded to 4; type 21: 8 cgroup
/// </code>
/// </summary>
public static partial class SocketDiagnosis
{
    private const int FamilyNetlink = 16, FamilyInet = 2, Raw = 3, CloseOnExec = 0x80000, ProtocolSockDiag = 4, ProtocolTcp = 6;
    private const int HeaderSize = 16, RequestSize = HeaderSize + 8 + SocketIdSize, SocketIdSize = 48, MessageSize = 72, AttributeSize = 4;
    private const ushort SockDiagByFamily = 20, RequestFlag = 1, ErrorType = 2, CgroupAttribute = 21;
    private const byte Established = 1;

    /// <summary>The cgroup (its directory's inode number) in which a connected socket was made.</summary>
    /// <param name="local">The socket's own address, IPv4.</param>
    /// <param name="remote">The address that it is connected to, IPv4.</param>
    /// <returns>Null if there is no such established connection, or the kernel has not the module that would know.</returns>
    /// <exception cref="SystemCallException">The kernel does not answer.</exception>
    public static ulong? FindCgroup(IPEndPoint local, IPEndPoint remote)
    {
        using var socket = socket_(FamilyNetlink, Raw | CloseOnExec, ProtocolSockDiag);
        if (socket.IsInvalid)
            throw SystemCallException.Last("open socket", "sock_diag");
        Span<byte> request = stackalloc byte[RequestSize];
        WriteRequest(request, local, remote);
        Transfer(send(socket, ref MemoryMarshal.GetReference(request), (nuint)request.Length, 0), "ask");
        Span<byte> answer = stackalloc byte[4096];
        var length = Transfer(recv(socket, ref MemoryMarshal.GetReference(answer), (nuint)answer.Length, 0), "read answer of");
        return ReadAnswer(answer[..length], local, remote);
    }

    private static void WriteRequest(Span<byte> request, IPEndPoint local, IPEndPoint remote)
    {
        request.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(request, RequestSize);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], SockDiagByFamily);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], RequestFlag);
        request[HeaderSize] = FamilyInet;
        request[HeaderSize + 1] = ProtocolTcp;
        BinaryPrimitives.WriteUInt32LittleEndian(request[(HeaderSize + 4)..], uint.MaxValue);
        WriteSocketId(request[(HeaderSize + 8)..], local, remote);
    }

    private static void WriteSocketId(Span<byte> id, IPEndPoint local, IPEndPoint remote)
    {
        BinaryPrimitives.WriteUInt16BigEndian(id, (ushort)local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(id[2..], (ushort)remote.Port);
        local.Address.TryWriteBytes(id[4..8], out _);
        remote.Address.TryWriteBytes(id[20..24], out _);
        id[40..].Fill(0xff); // no cookie
    }

    private static ulong? ReadAnswer(ReadOnlySpan<byte> answer, IPEndPoint local, IPEndPoint remote)
    {
        if (answer.Length < HeaderSize + 4)
            return null;
        var type = BinaryPrimitives.ReadUInt16LittleEndian(answer[4..]);
        if (type == ErrorType)
        {
            var errno = -BinaryPrimitives.ReadInt32LittleEndian(answer[HeaderSize..]);
            return errno == Errno.ENOENT ? null : throw new SystemCallException("ask sock_diag", "tcp", errno);
        }

        var length = Math.Min(BinaryPrimitives.ReadInt32LittleEndian(answer), answer.Length);
        if (type != SockDiagByFamily || length < HeaderSize + MessageSize)
            return null;
        var message = answer[HeaderSize..length];
        Span<byte> wanted = stackalloc byte[SocketIdSize];
        WriteSocketId(wanted, local, remote);
        // A listener is what the kernel finds where there is no such connection.
        return message[1] == Established && message.Slice(4, 4).SequenceEqual(wanted[..4])
            ? FindAttribute(message[MessageSize..])
            : null;
    }

    private static ulong? FindAttribute(ReadOnlySpan<byte> attributes)
    {
        while (attributes.Length >= AttributeSize)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
            if (length < AttributeSize || length > attributes.Length)
                return null;
            if (BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) == CgroupAttribute && length == AttributeSize + 8)
                return BinaryPrimitives.ReadUInt64LittleEndian(attributes[AttributeSize..]);
            attributes = attributes[Math.Min((length + 3) & ~3, attributes.Length)..];
        }

        return null;
    }

    private static int Transfer(nint result, string step) => result >= 0 ? (int)result : throw SystemCallException.Last(step, "sock_diag");

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial SafeFileHandle socket_(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(SafeFileHandle socket, ref byte buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(SafeFileHandle socket, ref byte buffer, nuint length, int flags);
}
