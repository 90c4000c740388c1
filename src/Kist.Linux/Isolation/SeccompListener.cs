using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Isolation;

/// <summary>The supervisor's end of a seccomp filter (seccomp_unotify(2)).</summary>
public sealed partial class SeccompListener(SafeFileHandle listener) : IDisposable
{
    private const uint Receive = 0xc0502100, Send = 0xc0182101;
    private const uint Continue = 1;
    private const int AnswerSize = 24;

    /// <summary>Blocks until a call arrives; null once every process under the filter has ended.</summary>
    public SeccompNotification? Next()
    {
        Span<byte> block = stackalloc byte[SeccompNotification.Size];
        while (true)
        {
            // A listener whose processes have all gone reports POLLHUP, but its receive call would block.
            if (!WaitForCall())
                return null;
            block.Clear();
            if (ioctl(listener, Receive, block) == 0)
                return SeccompNotification.Read(block);
            if (Marshal.GetLastPInvokeError() is not (Errno.EINTR or Errno.ENOENT))
                throw SystemCallException.Last("receive", "seccomp notification");
        }
    }

    /// <summary>Lets the kernel carry the call out.</summary>
    public void LetPass(in SeccompNotification call) => Answer(call, 0, Continue);

    /// <summary>Makes the call fail with an error number.</summary>
    public void Fail(in SeccompNotification call, int errno) => Answer(call, -errno, 0);

    /// <inheritdoc/>
    public void Dispose() => listener.Dispose();

    /// <summary>0 8 id   8 8 value   16 4 error   20 4 flags. A caller that has died meanwhile (ENOENT) needs no answer.</summary>
    private void Answer(in SeccompNotification call, int error, uint flags)
    {
        Span<byte> block = stackalloc byte[AnswerSize];
        block.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(block, call.Id);
        BinaryPrimitives.WriteInt32LittleEndian(block[16..], error);
        BinaryPrimitives.WriteUInt32LittleEndian(block[20..], flags);
        if (ioctl(listener, Send, block) != 0 && Marshal.GetLastPInvokeError() != Errno.ENOENT)
            throw SystemCallException.Last("answer", "seccomp notification");
    }

    private bool WaitForCall()
    {
        const short In = 1;
        var poll = new PollDescriptor { File = (int)listener.DangerousGetHandle(), Events = In };
        while (true)
        {
            var ready = poll_(ref poll, 1, -1);
            if (ready > 0)
                return (poll.Happened & In) != 0;
            if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw SystemCallException.Last("wait for", "seccomp notification");
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int File;
        public short Events;
        public short Happened;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle file, nuint request, Span<byte> block);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int poll_(ref PollDescriptor descriptors, nuint count, int timeout);
}
