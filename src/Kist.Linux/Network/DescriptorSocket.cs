using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>Receiving an open file over a Unix socket (SCM_RIGHTS), as an OCI runtime hands over a terminal.</summary>
public static unsafe partial class DescriptorSocket
{
    private const int SocketLevel = 1, Rights = 1, CloseOnExec = 0x40000000;

    /// <summary>Blocks until one descriptor has come.</summary>
    public static SafeFileHandle Receive(Socket socket)
    {
        byte payload;
        byte* control = stackalloc byte[64];
        var vector = new IoVector { Base = &payload, Length = 1 };
        var message = new MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 64 };
        if (recvmsg(socket.SafeHandle, &message, CloseOnExec) < 0)
            throw SystemCallException.Last("receive descriptor", "socket");
        var header = (ControlHeader*)control;
        if (message.ControlLength < 20 || header->Length != 20 || header->Level != SocketLevel || header->Type != Rights)
            throw new Kist.Formats.OperationFailedException("receive descriptor", "socket", "the peer sent no single descriptor");
        return new SafeFileHandle(*(int*)(control + sizeof(ControlHeader)), ownsHandle: true);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeSocketHandle socket, MessageHeader* message, int flags);
}
