using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>Working in another network namespace (setns(2)), which belongs to a thread: one that ends with the work.</summary>
public static partial class NetworkNamespace
{
    private const int NewNetwork = 0x40000000;

    /// <summary>Runs <paramref name="work"/> in the namespace that a file stands for, such as /run/netns/NAME.</summary>
    public static T Run<T>(string path, Func<T> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                SystemCallException.Check(setns(file, NewNetwork), "enter network namespace", path);
                result = work();
            }
#pragma warning disable CA1031 // It is thrown again where the caller is.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        { IsBackground = true, Name = "network namespace" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle file, int type);
}
