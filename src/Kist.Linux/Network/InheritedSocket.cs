using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Kist.Linux.Network;

/// <summary>A socket that this process was started with, under a number that both sides know.</summary>
public static partial class InheritedSocket
{
    private const int SetFlags = 2, CloseOnExec = 1; // fcntl(2): F_SETFD, FD_CLOEXEC

    /// <summary>Takes it over. Children of this process do not inherit it: they would keep it open when this process is gone.</summary>
    /// <exception cref="SystemCallException">There is no such descriptor.</exception>
    public static Socket Take(int descriptor)
    {
        SystemCallException.Check(fcntl(descriptor, SetFlags, CloseOnExec), "take over socket", $"descriptor {descriptor}");
        return new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int file, int command, int argument);
}
