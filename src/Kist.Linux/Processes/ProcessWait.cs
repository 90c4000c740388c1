using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>waitid(2).</summary>
static partial class ProcessWait
{
    private const int AllChildren = 0, OneChild = 1, Exited = 4, LeaveIt = 0x01000000; // WNOWAIT

    /// <summary>Blocks until the child has ended, and leaves it to be reaped: its number is not used again before.</summary>
    public static void UntilExited(int pid) => Wait(OneChild, pid, LeaveIt);

    /// <summary>Blocks until the child ends, and reaps it.</summary>
    public static ChildExit ForChild(int pid) =>
        Wait(OneChild, pid) is { } ended ? ended.Exit : throw SystemCallException.Last("wait for", $"process {pid}");

    /// <summary>Blocks until any child ends, and reaps it; null if there is no child.</summary>
    public static (int Pid, ChildExit Exit)? ForAnyChild() => Wait(AllChildren, 0);

    /// <summary>siginfo_t for SIGCHLD on 64-bit machines: 0x08 si_code, 0x10 si_pid, 0x18 si_status.</summary>
    private static (int Pid, ChildExit Exit)? Wait(int kind, int id, int more = 0)
    {
        Span<byte> info = stackalloc byte[128];
        while (waitid(kind, id, info, Exited | more) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == Errno.ECHILD)
                return null;
            if (error != Errno.EINTR)
                throw SystemCallException.Last("wait for", "children");
        }

        return (
            BinaryPrimitives.ReadInt32LittleEndian(info[0x10..]),
            ChildExit.FromWait(BinaryPrimitives.ReadInt32LittleEndian(info[0x08..]), BinaryPrimitives.ReadInt32LittleEndian(info[0x18..])));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitid(int kind, int id, Span<byte> info, int options);
}
