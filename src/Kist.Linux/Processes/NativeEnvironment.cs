using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>
/// The environment as C libraries see it (getenv(3)). <see cref="Environment.SetEnvironmentVariable(string, string?)"/>
/// changes .NET's own copy only.
/// </summary>
public static partial class NativeEnvironment
{
    /// <summary>
    /// Sets a variable. Only before other threads read the environment: the C library does not lock it.
    /// </summary>
    public static void Set(string name, string value) => SystemCallException.Check(setenv(name, value, 1), "set variable", name);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
