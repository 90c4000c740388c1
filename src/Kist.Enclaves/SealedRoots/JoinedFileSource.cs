using Kist.Enclaves.Manifests;

namespace Kist.Enclaves.SealedRoots;

/// <summary>The contents of an image's files, and of the WebAssembly runtime's from elsewhere.</summary>
/// <param name="image">The image; owned.</param>
/// <param name="runtime">The runtime; owned.</param>
sealed class JoinedFileSource(IFileSource image, IFileSource runtime) : IFileSource
{
    public Stream OpenRead(ManifestFile file) => (WasmFiles.Contains(file.Path) ? runtime : image).OpenRead(file);

    public void Dispose()
    {
        image.Dispose();
        runtime.Dispose();
    }
}
