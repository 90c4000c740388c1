using Kist.Images.Signatures;
using Kist.Oci;

namespace Kist.Images;

/// <summary>How an image is pulled.</summary>
public sealed record PullOptions
{
    /// <summary>The platform to choose from an index.</summary>
    public Platform Platform { get; init; } = Platform.Current;

    /// <summary>What a layer may unpack to.</summary>
    public LayerLimits Limits { get; init; } = new();

    /// <summary>How many layers are fetched at the same time.</summary>
    public int ParallelLayers { get; init; } = 3;

    /// <summary>
    /// Judges the image's signatures before anything else of it is fetched; null asks for none. Nothing is cached that would
    /// come before it.
    /// </summary>
    public PolicyEvaluator? Policy { get; init; }

    /// <summary>True refuses an image with any layer in clear.</summary>
    public bool RequireEncryption { get; init; }

    /// <summary>
    /// Asked once manifest and configuration are proven and before anything of a layer or its key is fetched; it throws to
    /// refuse the image. Null asks nobody.
    /// </summary>
    public Func<PullCandidate, CancellationToken, Task>? Approve { get; init; }

    /// <summary>
    /// Asked, after <see cref="Approve"/>, with the manifest's digest: the directory of a root file system that was unpacked
    /// from this very image before, or null to fetch and unpack it now. Null finds nothing.
    /// </summary>
    public Func<Digest, CancellationToken, Task<string?>>? FindUnpacked { get; init; }

    /// <summary>
    /// Told the digest of the platform's manifest before the key of a sealed image is asked for, whose configuration
    /// cannot be judged without it; null tells nobody.
    /// </summary>
    public Func<Digest, CancellationToken, Task>? BeforeKeys { get; init; }

    /// <summary>True accepts layer keys that are wrapped with A256CTR, which nothing authenticates.</summary>
    public bool AllowUnauthenticatedWrap { get; init; }

    /// <summary>
    /// True unpacks each layer into a directory of its own, "0" for the lowest, with whiteouts as overlayfs has them; false
    /// unpacks all into one.
    /// </summary>
    public bool SeparateLayers { get; init; }

    /// <summary>See <see cref="ExtractionOptions.Privileged"/>.</summary>
    public bool? Privileged { get; init; }

    /// <summary>
    /// How many bytes of layers may wait in memory, as they came from the registry, until they are verified and unpacked. What
    /// does not fit waits in files of <see cref="SpoolDirectory"/>.
    /// </summary>
    public long SpoolMemoryBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>
    /// Where layers that do not fit into memory wait, as they came from the registry, until they are verified; null for a
    /// directory beside the root file system. Nobody else may write there: what was verified is read again from it.
    /// </summary>
    public string? SpoolDirectory { get; init; }
}

/// <summary>An image of which so far only manifest and configuration are known, both proven by their digests.</summary>
/// <param name="Config">How it would be run.</param>
/// <param name="ManifestDigest">Digest of the platform's manifest.</param>
/// <param name="ConfigDigest">Digest of the configuration.</param>
/// <param name="EncryptedLayers">How many layers are encrypted.</param>
/// <param name="Layers">How many layers there are.</param>
/// <param name="ContentBytes">Bytes of all layers as the registry has them.</param>
public sealed record PullCandidate(
    ImageConfiguration Config, Digest ManifestDigest, Digest ConfigDigest, int EncryptedLayers, int Layers, long ContentBytes)
{
    /// <summary>What else is proven of a sealed image; null for an ordinary one.</summary>
    public SealedFacts? Sealed { get; init; }
}

/// <summary>What the sealed manifest says of an image beside its configuration.</summary>
/// <param name="Revision">Counts up with the releases.</param>
/// <param name="Author">RFC 7638 thumbprint of the key that signed it; null if nobody did.</param>
public sealed record SealedFacts(long Revision, string? Author);

/// <summary>An image that was pulled, proven and unpacked.</summary>
/// <param name="Config">How to run it, as the image's configuration says.</param>
/// <param name="ConfigBytes">The configuration's own bytes.</param>
/// <param name="ManifestDigest">Digest of the platform's manifest.</param>
/// <param name="RootFileSystem">The directory that holds the unpacked root file system.</param>
/// <param name="EncryptedLayers">How many layers were encrypted.</param>
/// <param name="Layers">How many layers there are.</param>
/// <param name="Report">What was unpacked.</param>
public sealed record PulledImage(
    ImageConfiguration Config, ReadOnlyMemory<byte> ConfigBytes, Digest ManifestDigest, string RootFileSystem, int EncryptedLayers, int Layers,
    ExtractionReport Report);

/// <summary>What a pull is doing.</summary>
public enum PullStep
{
    /// <summary>A layer is being fetched and verified.</summary>
    Fetch,

    /// <summary>A layer is being decrypted and unpacked.</summary>
    Unpack,

    /// <summary>A layer is done.</summary>
    Done,
}

/// <summary>How far a pull is.</summary>
/// <param name="Step">What is being done.</param>
/// <param name="Layer">Index of the layer, lowest first.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Bytes">Bytes of that layer done in this step.</param>
/// <param name="TotalBytes">Bytes of that layer.</param>
public readonly record struct PullProgress(PullStep Step, int Layer, int Layers, long Bytes, long TotalBytes);
