using Kist.Enclaves.Manifests;

namespace Kist.Enclaves.SealedRoots;

/// <summary>Where the contents of an enclave's files come from. Nothing vouches for them: they are compared with their digests.</summary>
interface IFileSource : IDisposable
{
    /// <summary>Opens a file's content from its start.</summary>
    Stream OpenRead(ManifestFile file);
}
