using System.Collections.Immutable;
using System.Globalization;
using Kist.Enclaves.Host;
using Kist.Enclaves.Manifests;
using Kist.Formats;

namespace Kist.Enclaves.Runtime;

/// <summary>
/// The enclave runtime for WebAssembly: a container whose program is a module (its name ends with .wasm) gets kist-wasm,
/// Wasmtime and their libraries as measured files, and runs them on the module.
/// </summary>
static class WasmRuntime
{
    /// <summary>Names the directory of its files on the host; without it, "wasm" beside kist-rune.</summary>
    public const string Variable = "KIST_RUNE_WASM";

    private const string Loader = "ld-linux-x86-64.so.2", Program = "kist-wasm";

    /// <summary>True if a command line is a module's.</summary>
    public static bool Runs(IReadOnlyList<string> args) => args.Count > 0 && args[0].EndsWith(".wasm", StringComparison.Ordinal);

    /// <summary>
    /// The command line that runs a module, with its limits, which so are measured. Its own loader and libraries are named: the
    /// image needs none.
    /// </summary>
    public static ImmutableArray<string> CommandLine(IReadOnlyList<string> args, EnclaveOptions options) =>
    [
        $"{HostPaths.Wasm}/{Loader}", "--library-path", HostPaths.Wasm, $"{HostPaths.Wasm}/{Program}",
        .. Limit("--fuel", options.WasmFuel), .. Limit("--seconds", options.WasmSeconds), .. Limit("--memory", options.WasmMemory), .. args,
    ];

    private static IEnumerable<string> Limit(string option, long? value) =>
        value is { } number ? [option, number.ToString(CultureInfo.InvariantCulture)] : [];

    /// <summary>Its directory on the host.</summary>
    public static string HostDirectory()
    {
        var directory = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } set
            ? Path.GetFullPath(set) : Path.Combine(Path.GetDirectoryName(Environment.ProcessPath)!, "wasm");
        return File.Exists(Path.Combine(directory, Program))
            ? directory : throw new OperationFailedException("find WebAssembly runtime", directory, $"there is no {Program}", $"install it there, or name its directory by {Variable}");
    }

    /// <summary>A tree with the runtime's files added.</summary>
    public static ImmutableArray<ManifestFile> AddTo(ImmutableArray<ManifestFile> files, CancellationToken cancellationToken) =>
    [
        .. files.Concat(RootTree.Read(HostDirectory(), null, null, cancellationToken).Select(f => f with
        {
            Path = f.Path == "/" ? HostPaths.Wasm : HostPaths.Wasm + f.Path,
            Uid = 0,
            Gid = 0,
            Mode = f.Type == ManifestFileType.Link ? 0u : f.Type == ManifestFileType.Directory ? 0x1edu : 0x16du, // 0755, 0555
        })).OrderBy(f => f.Path, StringComparer.Ordinal),
    ];
}
