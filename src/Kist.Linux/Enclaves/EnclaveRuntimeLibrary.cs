using System.Runtime.InteropServices;
using Kist.Formats;
using Kist.Linux.Processes;

namespace Kist.Linux.Enclaves;

/// <summary>
/// An enclave runtime behind rune's Platform Abstraction Layer, versions 1 to 3: a shared library in this process, which is
/// trusted with all of it. Structures have natural alignment: the specification of version 2 says packed, the runtimes
/// (skeleton, Occlum) and rune itself do not do so.
/// <code>
/// pal_init             0 8 args   8 8 log level   16 4 enclave's descriptor, -1   24 8 its address, 0
/// pal_create_process   0 8 path   8 8 argv   16 8 env   24 8 address of 3 descriptors   32 8 address of the identifier
/// pal_exec             0 4 identifier   8 8 address of the exit value
/// version 1: pal_exec(path, argv, descriptors, address of the exit value), no pal_create_process, no pal_kill
/// </code>
/// A negative result is an error number; rune takes no other for a failure.
/// </summary>
public sealed unsafe class EnclaveRuntimeLibrary : IDisposable
{
    /// <summary>The highest version that is spoken here.</summary>
    public const int MaxVersion = 3;

    /// <summary>Bytes of TARGETINFO and REPORT.</summary>
    public const int TargetInfoSize = 512, ReportSize = 432;

    private readonly nint _library;
    private readonly string _path;
    private bool _initialized;

    private EnclaveRuntimeLibrary(nint library, string path, int version)
    {
        _library = library;
        _path = path;
        Version = version;
    }

    /// <summary>The version that the runtime speaks; one that does not say speaks 1.</summary>
    public int Version { get; }

    /// <summary>Loads a runtime. Its code runs at once: load only what is trusted.</summary>
    /// <exception cref="OperationFailedException">It cannot be loaded, or is of a version that is not known.</exception>
    public static EnclaveRuntimeLibrary Load(string path)
    {
        nint library;
        try
        {
            library = NativeLibrary.Load(System.IO.Path.GetFullPath(path));
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new OperationFailedException("load enclave runtime", path, e.Message, "name a shared library for this machine", inner: e);
        }

        var version = NativeLibrary.TryGetExport(library, "pal_get_version", out var function) ? ((delegate* unmanaged<int>)function)() : 1;
        if (version is >= 1 and <= MaxVersion)
            return new EnclaveRuntimeLibrary(library, path, version);
        NativeLibrary.Free(library);
        throw new OperationFailedException("load enclave runtime", path, $"it speaks version {version} of the PAL, not 1 to {MaxVersion}");
    }

    /// <summary>pal_init.</summary>
    /// <param name="args">What the runtime is told, in its own words.</param>
    /// <param name="logLevel">trace, debug, info, warning, error, fatal or off.</param>
    public void Initialize(string args, string logLevel)
    {
        using var texts = new NativeText(args, logLevel);
        var arguments = new InitArguments { Args = texts[0], LogLevel = texts[1], File = -1 };
        Check("pal_init", ((delegate* unmanaged<InitArguments*, int>)Function("pal_init"))(&arguments));
        _initialized = true;
    }

    /// <summary>pal_create_process and pal_exec: runs a program to its end.</summary>
    /// <param name="path">The program, as the runtime finds it.</param>
    /// <param name="args">Its command line.</param>
    /// <param name="environment">Its environment, NAME=value.</param>
    /// <param name="standard">Descriptors for its standard input, output and error.</param>
    /// <returns>Its exit value.</returns>
    public int Run(string path, IEnumerable<string> args, IEnumerable<string> environment, (int Input, int Output, int Error) standard)
    {
        using var texts = new NativeText(path);
        using var argv = new NativeStrings(args);
        using var envp = new NativeStrings(environment);
        int* files = stackalloc int[] { standard.Input, standard.Output, standard.Error };
        int exit = 0;
        if (Version == 1)
        {
            Check("pal_exec", ((delegate* unmanaged<byte*, byte**, int*, int*, int>)Function("pal_exec"))(texts[0], argv.Pointer, files, &exit));
            return exit;
        }

        int id = 0;
        var create = new CreateArguments { Path = texts[0], Argv = argv.Pointer, Environment = envp.Pointer, Files = files, Id = &id };
        Check("pal_create_process", ((delegate* unmanaged<CreateArguments*, int>)Function("pal_create_process"))(&create));
        LastProcess = id;
        var execute = new ExecArguments { Id = id, Exit = &exit };
        Check("pal_exec", ((delegate* unmanaged<ExecArguments*, int>)Function("pal_exec"))(&execute));
        return exit;
    }

    /// <summary>The runtime's identifier of the last process that was made; 0 before.</summary>
    public int LastProcess { get; private set; }

    /// <summary>pal_kill.</summary>
    /// <param name="process">The runtime's identifier; -1 for all, 0 for the current one.</param>
    /// <param name="signal">The signal's number.</param>
    public void Kill(int process, int signal) => Check("pal_kill", ((delegate* unmanaged<int, int, int>)Function("pal_kill"))(process, signal));

    /// <summary>pal_get_local_report: REPORT for a target, 432 bytes.</summary>
    public byte[] GetLocalReport(ReadOnlySpan<byte> targetInfo)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(targetInfo.Length, TargetInfoSize, nameof(targetInfo));
        var report = new byte[ReportSize];
        var length = report.Length;
        fixed (byte* target = targetInfo, result = report)
            Check("pal_get_local_report", ((delegate* unmanaged<byte*, int, byte*, int*, int>)Function("pal_get_local_report"))(target, targetInfo.Length, result, &length));
        return length == ReportSize ? report : throw new OperationFailedException("pal_get_local_report", _path, $"it gave {length} bytes, not {ReportSize}");
    }

    /// <summary>pal_destroy, if it was initialised. The library stays mapped: runtimes leave threads behind.</summary>
    public void Dispose()
    {
        if (_initialized)
            _ = ((delegate* unmanaged<int>)Function("pal_destroy"))();
        _initialized = false;
    }

    private nint Function(string name) =>
        NativeLibrary.TryGetExport(_library, name, out var function)
            ? function : throw new OperationFailedException(name, _path, $"the enclave runtime (version {Version}) has no such function");

    private void Check(string function, int result)
    {
        if (result < 0)
            throw new SystemCallException(function, _path, -result);
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct InitArguments
    {
        public byte* Args;
        public byte* LogLevel;
        public int File;
        public ulong Address;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct CreateArguments
    {
        public byte* Path;
        public byte** Argv;
        public byte** Environment;
        public int* Files;
        public int* Id;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ExecArguments
    {
        public int Id;
        public int* Exit;
    }

    /// <summary>Some zero-terminated texts.</summary>
    private readonly struct NativeText(params string[] texts) : IDisposable
    {
        private readonly nint[] _memory = [.. texts.Select(Marshal.StringToCoTaskMemUTF8)];

        public byte* this[int index] => (byte*)_memory[index];

        public void Dispose()
        {
            foreach (var memory in _memory)
                Marshal.FreeCoTaskMem(memory);
        }
    }
}
