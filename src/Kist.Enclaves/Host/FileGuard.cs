using System.Buffers.Binary;
using System.Text;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Files;
using Kist.Linux.Isolation;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Host;

/// <summary>
/// Watches every call by which a program of the enclave opens or executes a file, and brings the file's verified content
/// in first; a file that is not what the manifest says cannot be opened (EIO). The calls themselves are the kernel's.
/// </summary>
sealed class FileGuard(VerifiedRoot root, ProcDirectory proc, SeccompListener listener, Action<string> log)
{
    private const int MaxPathLength = 4096;
    private const int CurrentDirectory = -100;
    private const ulong NoFollow = 0x20000, PathOnly = 0x200000, SymlinkNoFollow = 0x100;
    private const int MaxInterpreters = 5;
    private const int HeadSize = 4096;

    /// <summary>Serves until every program has ended.</summary>
    public void Run()
    {
        while (listener.Next() is { } call)
        {
            // A file of many megabytes must not keep the other threads' small ones waiting.
            if (Prepare(call) is { } slow)
                ThreadPool.UnsafeQueueUserWorkItem(_ => Answer(call, Succeeds(slow)), null);
            else
                listener.LetPass(call);
        }
    }

    /// <summary>Null if nothing has to be brought in; otherwise what does it, and says whether the call may go on.</summary>
    private Func<bool>? Prepare(in SeccompNotification call)
    {
        if (Name(call) is not { } name)
            return null;
        var handle = name;
        if (root.Find(handle) is not { } file)
        {
            handle.Dispose();
            return null;
        }

        var executes = call.Call is SystemCall.execve or SystemCall.execveat;
        if (file.State == VerifiedFileState.Present && !executes)
        {
            handle.Dispose();
            return null;
        }

        return () =>
        {
            using (handle)
                return executes ? BringInProgram(file, handle) : BringIn(file, handle);
        };
    }

    /// <summary>What cannot be brought in cannot be opened.</summary>
    private bool Succeeds(Func<bool> step)
    {
        try
        {
            return step();
        }
        catch (OperationFailedException e)
        {
            log(e.Message);
            return false;
        }
    }

    private void Answer(in SeccompNotification call, bool allowed)
    {
        if (allowed)
            listener.LetPass(call);
        else
            listener.Fail(call, Errno.EIO);
    }

    /// <summary>The file that the call is about, named as the caller sees it; null if it leads nowhere.</summary>
    private SafeFileHandle? Name(in SeccompNotification call)
    {
        var (directory, path, flags) = call.Call switch
        {
            SystemCall.open => (CurrentDirectory, call.Argument0, call.Argument1),
            SystemCall.creat or SystemCall.truncate or SystemCall.execve => (CurrentDirectory, call.Argument0, 0UL),
            SystemCall.openat => ((int)call.Argument0, call.Argument1, call.Argument2),
            SystemCall.openat2 => ((int)call.Argument0, call.Argument1, OpenHowFlags(call)),
            SystemCall.execveat => ((int)call.Argument0, call.Argument1, (call.Argument4 & SymlinkNoFollow) != 0 ? NoFollow : 0UL),
            _ => (CurrentDirectory, 0UL, 0UL),
        };
        if (path == 0 || (flags & PathOnly) != 0 || ProcessMemory.ReadString(call.ThreadId, path, MaxPathLength) is not { } text)
            return null;
        return proc.Resolve(call.ThreadId, directory, text, (flags & NoFollow) == 0);
    }

    private static ulong OpenHowFlags(in SeccompNotification call)
    {
        Span<byte> how = stackalloc byte[8];
        return ProcessMemory.Read(call.ThreadId, call.Argument2, how) == 8 ? BinaryPrimitives.ReadUInt64LittleEndian(how) : 0;
    }

    private bool BringIn(VerifiedFile file, SafeFileHandle named) => file.State switch
    {
        VerifiedFileState.Present => true,
        VerifiedFileState.Refused => false,
        _ => root.BringIn(file, named, proc),
    };

    /// <summary>A program's interpreter (script or dynamic linker) is opened by the kernel itself, unseen: it comes first.</summary>
    private bool BringInProgram(VerifiedFile file, SafeFileHandle named)
    {
        var handle = named;
        for (var depth = 0; depth < MaxInterpreters; depth++)
        {
            if (!BringIn(file, handle))
                return false;
            var interpreter = Interpreter(handle);
            if (handle != named)
                handle.Dispose();
            if (interpreter is null || proc.Resolve(Environment.ProcessId, CurrentDirectory, interpreter, follow: true) is not { } next)
                return true;
            if (root.Find(next) is not { } nextFile)
            {
                next.Dispose();
                return true;
            }

            (file, handle) = (nextFile, next);
        }

        return true;
    }

    private byte[]? Interpreter(SafeFileHandle named)
    {
        using var readable = proc.OpenRead(named);
        var head = new byte[HeadSize];
        var length = RandomAccess.Read(readable, head, 0);
        return ProgramInterpreter.Find(head.AsSpan(0, length));
    }
}
