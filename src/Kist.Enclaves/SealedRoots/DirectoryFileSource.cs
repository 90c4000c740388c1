using Kist.Enclaves.Host;
using Kist.Enclaves.Manifests;
using Kist.Linux.Files;

namespace Kist.Enclaves.SealedRoots;

/// <summary>
/// The container's own root, in clear. The WebAssembly runtime is a mount of its own in it, and has to be held by itself: mounts
/// come apart when the container's root is replaced.
/// </summary>
sealed class DirectoryFileSource : IFileSource
{
    private const string WasmPrefix = HostPaths.Wasm + "/";

    private readonly DirectoryRoot _root = DirectoryRoot.Open("/");
    private readonly DirectoryRoot? _wasm = Directory.Exists(HostPaths.Wasm) ? DirectoryRoot.Open(HostPaths.Wasm) : null;

    public Stream OpenRead(ManifestFile file) => new FileStream(
        _wasm is not null && file.Path.StartsWith(WasmPrefix, StringComparison.Ordinal)
            ? _wasm.OpenRead(file.Path[WasmPrefix.Length..]) : _root.OpenRead(file.Path[1..]),
        FileAccess.Read, bufferSize: 0);

    public void Dispose()
    {
        _root.Dispose();
        _wasm?.Dispose();
    }
}
