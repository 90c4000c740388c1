using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kist.Formats;
using Kist.Linux;

namespace Kist.Pal;

/// <summary>
/// The Platform Abstraction Layer's functions, version 3, for callers like rune: liberpal-kist.so. Each returns 0, or a
/// negative error number with the reason on standard error; no exception leaves.
/// </summary>
static unsafe class Exports
{
    private const int Version = 3;
    private const int InputOutputError = 5, NotImplemented = 38;

    private static readonly Lock s_lock = new();
    private static PalRuntime? s_runtime;

    [UnmanagedCallersOnly(EntryPoint = "pal_get_version", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetVersion() => Version;

    /// <summary>args: "bundle=DIR [runtime=kist-rune] [root=DIR]", or the bundle's directory alone.</summary>
    [UnmanagedCallersOnly(EntryPoint = "pal_init", CallConvs = [typeof(CallConvCdecl)])]
    public static int Init(nint* arguments) => Guard("pal_init", () =>
    {
        if (arguments is null || Text(arguments[0]) is not { } args)
            return -Errno.EINVAL;
        // Version 3: the address of an enclave that somebody initialised before. None is ever taken over.
        if (arguments[3] != 0)
            throw new ArgumentException("enclaves that are initialised already are not taken over");
        lock (s_lock)
        {
            if (s_runtime is not null)
                return -Errno.EBUSY;
            s_runtime = PalRuntime.Open(args);
        }

        return 0;
    });

    [UnmanagedCallersOnly(EntryPoint = "pal_create_process", CallConvs = [typeof(CallConvCdecl)])]
    public static int CreateProcess(nint* arguments) => Guard("pal_create_process", () =>
    {
        if (arguments is null || arguments[3] == 0 || arguments[4] == 0 || Text(arguments[0]) is not { } path)
            return -Errno.EINVAL;
        var files = (int*)arguments[3];
        var args = Texts(arguments[1]);
        *(int*)arguments[4] = Runtime().Create(args.Count > 0 ? args : [path], Texts(arguments[2]), [files[0], files[1], files[2]]);
        return 0;
    });

    [UnmanagedCallersOnly(EntryPoint = "pal_exec", CallConvs = [typeof(CallConvCdecl)])]
    public static int Execute(nint* arguments) => Guard("pal_exec", () =>
    {
        if (arguments is null || arguments[1] == 0)
            return -Errno.EINVAL;
        *(int*)arguments[1] = Runtime().Run(*(int*)arguments);
        return 0;
    });

    [UnmanagedCallersOnly(EntryPoint = "pal_kill", CallConvs = [typeof(CallConvCdecl)])]
    public static int Kill(int process, int signal) => Guard("pal_kill", () =>
    {
        Runtime().Kill(process, signal);
        return 0;
    });

    /// <summary>The enclave makes reports for its own challengers only (kist-rune attest).</summary>
    [UnmanagedCallersOnly(EntryPoint = "pal_get_local_report", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetLocalReport(void* targetInfo, int targetInfoLength, void* report, int* reportLength) => -NotImplemented;

    [UnmanagedCallersOnly(EntryPoint = "pal_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int Destroy() => Guard("pal_destroy", () =>
    {
        lock (s_lock)
        {
            s_runtime?.Dispose();
            s_runtime = null;
        }

        return 0;
    });

    private static PalRuntime Runtime()
    {
        lock (s_lock)
            return s_runtime ?? throw new OperationFailedException("call enclave runtime", "PAL", "pal_init has not been called");
    }

    private static int Guard(string function, Func<int> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException or IOException or UnauthorizedAccessException or ArgumentException or JsonException or InvalidOperationException)
        {
            Console.Error.WriteLine($"liberpal-kist: {function}: {e.Message}");
            return e switch
            {
                SystemCallException s => -s.Errno,
                MalformedDataException or ArgumentException or JsonException or InvalidOperationException => -Errno.EINVAL,
                FileNotFoundException or DirectoryNotFoundException => -Errno.ENOENT,
                UnauthorizedAccessException => -Errno.EACCES,
                _ => -InputOutputError,
            };
        }
    }

    private static string? Text(nint text) => text == 0 ? null : Marshal.PtrToStringUTF8(text);

    private static List<string> Texts(nint array)
    {
        var texts = new List<string>();
        for (var at = (nint*)array; at is not null && *at != 0; at++)
            texts.Add(Text(*at)!);
        return texts;
    }
}
