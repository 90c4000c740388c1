using System.Collections.Immutable;

namespace Kist.Enclaves.Manifests;

/// <summary>
/// The WebAssembly runtime's files in an enclave. They come from the machine that makes the manifest, whatever the image,
/// and have a place of their own, which an image cannot have anything in.
/// </summary>
static class WasmFiles
{
    /// <summary>Where they are.</summary>
    public const string Directory = "/.kist-wasm";

    /// <summary>True for the directory and what is in it.</summary>
    public static bool Contains(string path) => path == Directory || path.StartsWith(Directory + "/", StringComparison.Ordinal);

    /// <summary>An image's tree with the manifest's files of the runtime.</summary>
    public static ImmutableArray<ManifestFile> Join(ImmutableArray<ManifestFile> image, ImmutableArray<ManifestFile> manifest) =>
        [.. image.Where(f => !Contains(f.Path)).Concat(manifest.Where(f => Contains(f.Path))).OrderBy(f => f.Path, StringComparer.Ordinal)];
}
