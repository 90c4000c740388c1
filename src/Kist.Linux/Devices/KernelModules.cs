using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Devices;

/// <summary>Loading kernel modules.</summary>
public static partial class KernelModules
{
    private const int SystemFinitModule = 313; // x86-64

    /// <summary>Loads a module file; one that is loaded or built in already is no error.</summary>
    public static void Load(string path, string parameters = "")
    {
        using var file = File.OpenHandle(path);
        if (finit_module(SystemFinitModule, file, parameters, 0) != 0 && Marshal.GetLastPInvokeError() != Errno.EEXIST)
            throw SystemCallException.Last("load module", path);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint finit_module(nint number, SafeFileHandle file, string parameters, nint flags);
}
