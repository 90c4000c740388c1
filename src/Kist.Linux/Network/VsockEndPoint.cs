using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Kist.Linux.Network;

/// <summary>
/// An address between a machine and its guests (vsock(7)), and connecting to one.
/// <code>
/// struct sockaddr_vm (16 bytes): 0x00 2 family (40), 0x04 4 port, 0x08 4 context identifier
/// </code>
/// </summary>
/// <param name="contextId">The machine: 2 is the host as a guest sees it; a guest's own number otherwise.</param>
/// <param name="port">The port.</param>
public sealed partial class VsockEndPoint(uint contextId, uint port) : EndPoint
{
    private const int FamilyNumber = 40, StreamType = 1, CloseOnExec = 0x80000, Size = 16;

    /// <summary>The host, seen from a guest.</summary>
    public const uint Host = 2;

    /// <summary>Any context identifier, for listening.</summary>
    public const uint Any = uint.MaxValue;

    /// <summary>The machine's number.</summary>
    public uint ContextId { get; } = contextId;

    /// <summary>The port.</summary>
    public uint Port { get; } = port;

    /// <inheritdoc/>
    public override AddressFamily AddressFamily => (AddressFamily)FamilyNumber;

    /// <inheritdoc/>
    public override string ToString() => $"vsock:{ContextId}:{Port}";

    /// <summary>Connects, blocking the calling thread. The stream owns the socket.</summary>
    public Stream Connect()
    {
        var fd = SystemCallException.Check(socket(FamilyNumber, StreamType | CloseOnExec, 0), "create vsock socket", ToString());
        var handle = new SafeSocketHandle(fd, ownsHandle: true);
        try
        {
            Span<byte> address = stackalloc byte[Size];
            BinaryPrimitives.WriteUInt16LittleEndian(address, FamilyNumber);
            BinaryPrimitives.WriteUInt32LittleEndian(address[4..], Port);
            BinaryPrimitives.WriteUInt32LittleEndian(address[8..], ContextId);
            SystemCallException.Check(connect(handle, address, Size), "connect", ToString());
            return new NetworkStream(new Socket(handle), ownsSocket: true);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(SafeSocketHandle socket, ReadOnlySpan<byte> address, uint length);
}
