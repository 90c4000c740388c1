using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>
/// A listening Unix socket made by bare system calls. A <see cref="Socket"/>, even its handle, starts the runtime's socket
/// thread, which takes on its maker's capabilities for good; this starts nothing, and becomes a <see cref="Socket"/> later.
/// </summary>
public static unsafe partial class UnixListener
{
    private const int FamilyUnix = 1, Stream = 1, CloseOnExec = 0x80000;
    private const int Backlog = 64, MaxPathLength = 107;

    /// <summary>Listens at a path that must not exist. Whoever may reach the path may connect.</summary>
    public static SafeFileHandle Listen(string path)
    {
        var name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or > MaxPathLength)
            throw new SystemCallException("use socket path", path, 36);
        byte[] address = [FamilyUnix, 0, .. name, 0];
        var handle = new SafeFileHandle(SystemCallException.Check(socket(FamilyUnix, Stream | CloseOnExec, 0), "create", "socket"), ownsHandle: true);
        try
        {
            fixed (byte* a = address)
                SystemCallException.Check(bind(handle, a, (uint)address.Length), "bind", path);
            SystemCallException.Check(listen(handle, Backlog), "listen", path);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The same as a <see cref="Socket"/>, which owns it from now on.</summary>
    public static Socket ToSocket(SafeFileHandle listener)
    {
        var socket = new Socket(new SafeSocketHandle(listener.DangerousGetHandle(), ownsHandle: true));
        listener.SetHandleAsInvalid();
        return socket;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(SafeFileHandle socket, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(SafeFileHandle socket, int backlog);
}
