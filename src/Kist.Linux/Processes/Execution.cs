using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Processes;

/// <summary>execve(2): this process becomes another program, with its process identifier, files and directory.</summary>
public static unsafe partial class Execution
{
    private const int EmptyPath = 0x1000;
    private const int SetDescriptorFlags = 2, CloseOnExec = 1;

    /// <summary>Executes a program by path. Returns only by throwing.</summary>
    public static void Replace(string path, IEnumerable<string> arguments, IEnumerable<string> environment)
    {
        using var argv = new NativeStrings(arguments);
        using var envp = new NativeStrings(environment);
        _ = execve(path, argv.Pointer, envp.Pointer);
        throw SystemCallException.Last("execute", path);
    }

    /// <summary>Executes an open file, such as sealed memory, whatever any path leads to. Returns only by throwing.</summary>
    public static void Replace(SafeFileHandle program, string name, IEnumerable<string> arguments, IEnumerable<string> environment)
    {
        SystemCallException.Check(fcntl(program, SetDescriptorFlags, CloseOnExec), "set flags", name);
        using var argv = new NativeStrings(arguments);
        using var envp = new NativeStrings(environment);
        _ = execveat(program, "", argv.Pointer, envp.Pointer, EmptyPath);
        throw SystemCallException.Last("execute", name);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execve(string path, byte** argv, byte** envp);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execveat(SafeFileHandle directory, string path, byte** argv, byte** envp, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, int argument);
}
