using Kist.Pods.Protocol;

namespace Kist.Host;

/// <summary>A container that a guest may run: exactly this image with exactly this process.</summary>
/// <param name="ContainerId">The identifier that the host will give it.</param>
/// <param name="Reference">The image as the guest names it; for people, since the digest decides.</param>
/// <param name="ManifestDigest">Digest of the platform's manifest, "sha256:…".</param>
/// <param name="Encrypted">True if every layer must be encrypted.</param>
/// <param name="Process">What runs, as <see cref="ContainerProcess.Merge"/> gives it.</param>
/// <param name="Terminal">True if it gets a terminal.</param>
/// <param name="Input">True if the host may write its standard input.</param>
/// <param name="ReadOnlyRoot">True if it may not write its root file system.</param>
public sealed record PinnedContainer(
    string ContainerId,
    string Reference,
    string ManifestDigest,
    bool Encrypted,
    ContainerProcess Process,
    bool Terminal,
    bool Input,
    bool ReadOnlyRoot);
