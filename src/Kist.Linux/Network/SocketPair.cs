using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Kist.Linux.Network;

/// <summary>Two connected Unix stream sockets without a name: nothing lies in the file system that could be left over or be guessed.</summary>
public static partial class SocketPair
{
    private const int Unix = 1, Stream = 1, CloseOnExec = 0x80000;

    /// <summary>Our end, and the end to give to a child; close the latter once the child has it.</summary>
    public static (NetworkStream Ours, SafeSocketHandle Theirs) Create()
    {
        Span<int> ends = stackalloc int[2];
        SystemCallException.Check(socketpair(Unix, Stream | CloseOnExec, 0, ends), "create", "socket pair");
        var theirs = new SafeSocketHandle(ends[1], ownsHandle: true);
        return (new NetworkStream(new Socket(new SafeSocketHandle(ends[0], ownsHandle: true)), ownsSocket: true), theirs);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, Span<int> ends);
}
