using Kist.Enclaves.Manifests;

namespace Kist.Enclaves.Host;

/// <summary>A file of the manifest in the enclave's root: empty until it is first opened, then its verified content, or refused for good.</summary>
sealed class VerifiedFile(ManifestFile file)
{
    private volatile VerifiedFileState _state;

    public ManifestFile File { get; } = file;

    /// <summary>Held while the content is brought in.</summary>
    public Lock Lock { get; } = new();

    public VerifiedFileState State
    {
        get => _state;
        set => _state = value;
    }
}

/// <summary>Whether a file's content is there.</summary>
enum VerifiedFileState
{
    Absent,
    Present,
    Refused,
}
