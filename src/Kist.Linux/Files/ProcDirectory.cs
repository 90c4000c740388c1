using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>
/// An open /proc, through which a supervisor sees its processes' directories and files even after its own root has
/// changed.
/// </summary>
public sealed partial class ProcDirectory : IDisposable
{
    private const int PathOnly = 0x200000, DirectoryFlag = 0x10000, NoFollow = 0x20000, CloseOnExec = 0x80000, ReadWrite = 2;
    private const int CurrentDirectory = -100;
    private const long ProcMagic = 0x9fa0;
    private const int StatfsSize = 120;

    private readonly SafeFileHandle _proc;

    private ProcDirectory(SafeFileHandle proc) => _proc = proc;

    /// <summary>Opens /proc, and makes sure that the kernel serves it.</summary>
    public static ProcDirectory Open()
    {
        var proc = openat(CurrentDirectory, "/proc\0"u8, PathOnly | DirectoryFlag | CloseOnExec);
        if (proc.IsInvalid)
            throw SystemCallException.Last("open directory", "/proc");
        Span<byte> status = stackalloc byte[StatfsSize];
        if (fstatfs(proc, status) != 0 || BitConverter.ToInt64(status) != ProcMagic)
        {
            proc.Dispose();
            throw new Kist.Formats.OperationFailedException("open directory", "/proc", "it is not the kernel's proc file system");
        }

        return new ProcDirectory(proc);
    }

    /// <summary>
    /// What a path means to a thread, opened only to be named (O_PATH); null if it leads nowhere or the thread is gone.
    /// </summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="directory">A directory descriptor of the thread, or AT_FDCWD (-100).</param>
    /// <param name="path">The path's bytes, without the zero at its end; empty names the descriptor itself.</param>
    /// <param name="follow">False to stop at a symbolic link at the end.</param>
    public SafeFileHandle? Resolve(int threadId, int directory, ReadOnlySpan<byte> path, bool follow)
    {
        var flags = PathOnly | CloseOnExec | (follow ? 0 : NoFollow);
        var own = OwnProcPath(threadId, path);
        if (own is not null)
            return Valid(openat(_proc, own, flags));
        if (path is [(byte)'/', ..])
            return Valid(openat(CurrentDirectory, [.. path, 0], flags));
        var start = directory == CurrentDirectory ? $"{threadId}/cwd\0" : $"{threadId}/fd/{directory}\0";
        using var from = Valid(openat(_proc, Encoding.ASCII.GetBytes(start), PathOnly | CloseOnExec));
        if (from is null || path.IsEmpty)
            return from is null ? null : FilePermissions.Duplicate(from);
        return Valid(openat(from, [.. path, 0], flags));
    }

    /// <summary>Opens for reading and writing what a handle only names.</summary>
    public SafeFileHandle OpenReadWrite(SafeFileHandle named) => Open(named, ReadWrite);

    /// <summary>Opens for reading what a handle only names.</summary>
    public SafeFileHandle OpenRead(SafeFileHandle named) => Open(named, 0);

    private SafeFileHandle Open(SafeFileHandle named, int access)
    {
        var file = openat(_proc, Encoding.ASCII.GetBytes($"self/fd/{named.DangerousGetHandle()}\0"), access | CloseOnExec);
        return file.IsInvalid ? throw SystemCallException.Last("open", "a file of the enclave") : file;
    }

    /// <inheritdoc/>
    public void Dispose() => _proc.Dispose();

    /// <summary>
    /// /proc/self and /proc/thread-self, also by way of /dev/fd and the like, mean the thread, not this process. Paths
    /// relative to /proc; null for all others.
    /// </summary>
    private static byte[]? OwnProcPath(int threadId, ReadOnlySpan<byte> path)
    {
        if (Tail(path, "/proc/self"u8) is { } self)
            return Encoding.ASCII.GetBytes($"{threadId}").Concat(self).Append((byte)0).ToArray();
        if (Tail(path, "/proc/thread-self"u8) is { } thread)
            return Encoding.ASCII.GetBytes($"{threadId}/task/{threadId}").Concat(thread).Append((byte)0).ToArray();
        if (Tail(path, "/dev/fd"u8) is { } descriptor)
            return Encoding.ASCII.GetBytes($"{threadId}/fd").Concat(descriptor).Append((byte)0).ToArray();
        return null;
    }

    private static byte[]? Tail(ReadOnlySpan<byte> path, ReadOnlySpan<byte> prefix) =>
        path.StartsWith(prefix) && (path.Length == prefix.Length || path[prefix.Length] == '/') ? path[prefix.Length..].ToArray() : null;

    private static SafeFileHandle? Valid(SafeFileHandle handle)
    {
        if (!handle.IsInvalid)
            return handle;
        handle.Dispose();
        return null;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial SafeFileHandle openat(int directory, ReadOnlySpan<byte> path, int flags, uint mode = 0);

    [LibraryImport("libc", SetLastError = true)]
    private static partial SafeFileHandle openat(SafeFileHandle directory, ReadOnlySpan<byte> path, int flags, uint mode = 0);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(SafeFileHandle file, Span<byte> status);
}
