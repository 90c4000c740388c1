using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>Passing an open file over a Unix socket (SCM_RIGHTS), as an OCI runtime hands over a terminal.</summary>
public static unsafe partial class DescriptorSocket
{
    private const int SocketLevel = 1, Rights = 1, CloseOnExec = 0x40000000, NoSignal = 0x4000;

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

    /// <summary>Sends one descriptor, with a name as its data: receivers want at least a byte.</summary>
    public static void Send(Socket socket, SafeFileHandle file, string name)
    {
        byte* control = stackalloc byte[24];
        new Span<byte>(control, 24).Clear();
        *(ControlHeader*)control = new ControlHeader { Length = (nuint)sizeof(ControlHeader) + 4, Level = SocketLevel, Type = Rights };
        *(int*)(control + sizeof(ControlHeader)) = (int)file.DangerousGetHandle();
        var payload = System.Text.Encoding.UTF8.GetBytes(name);
        fixed (byte* bytes = payload)
        {
            var vector = new IoVector { Base = bytes, Length = (nuint)payload.Length };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 24 };
            if (sendmsg(socket.SafeHandle, &message, NoSignal) != payload.Length)
                throw SystemCallException.Last("send descriptor", name);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeSocketHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(SafeSocketHandle socket, MessageHeader* message, int flags);
}
