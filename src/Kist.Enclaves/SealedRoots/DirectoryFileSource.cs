using Kist.Enclaves.Manifests;
using Kist.Linux.Files;

namespace Kist.Enclaves.SealedRoots;

/// <summary>The container's own root, in clear.</summary>
sealed class DirectoryFileSource(DirectoryRoot root) : IFileSource
{
    public Stream OpenRead(ManifestFile file) => new FileStream(root.OpenRead(file.Path[1..]), FileAccess.Read, bufferSize: 0);

    public void Dispose() => root.Dispose();
}
