using Kist.Pods.Protocol;

namespace Kist.Host;

/// <summary>A container that a guest may run: exactly this image with exactly this process.</summary>
public sealed record PinnedContainer
{
    /// <summary>Its name, unique in the policy: what the host calls it when it asks for it.</summary>
    public required string Name { get; init; }

    /// <summary>The image as the guest names it; for people, since the digest decides.</summary>
    public required string Reference { get; init; }

    /// <summary>Digest of the platform's manifest, "sha256:…".</summary>
    public required string ManifestDigest { get; init; }

    /// <summary>True if every layer is encrypted.</summary>
    public required bool Encrypted { get; init; }

    /// <summary>What a sealed image must be beside its digest; null for any other image.</summary>
    public PinnedSeal? Seal { get; init; }

    /// <summary>
    /// What may be asked for in place of what the image says, exactly. With it the members <see cref="Args"/> to
    /// <see cref="Users"/> mean nothing: the digest pins the image's configuration, which is secret in a sealed image.
    /// </summary>
    public ProcessOverrides? Overrides { get; init; }

    /// <summary>The argument vector.</summary>
    public IReadOnlyList<PinnedText> Args { get; init; } = [];

    /// <summary>The environment, as "NAME=value", in any order; nothing else may be in it.</summary>
    public IReadOnlyList<PinnedText> Env { get; init; } = [];

    /// <summary>Working directory.</summary>
    public string Cwd { get; init; } = "";

    /// <summary>Texts that mean the right user: what the image says, or "uid:gid".</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>True if it gets a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>True if the host may write its standard input.</summary>
    public bool Input { get; init; }

    /// <summary>True if the host may read what it prints.</summary>
    public bool Output { get; init; } = true;

    /// <summary>True if it may not write its root file system.</summary>
    public bool ReadOnlyRoot { get; init; }

    /// <summary>True if what it writes to its root file system may be kept on an encrypted disk of the host's.</summary>
    public bool WritableDisk { get; init; }

    /// <summary>The most that root in it may do; null for the agent's default set.</summary>
    public IReadOnlyList<string>? Capabilities { get; init; }

    /// <summary>The pod's host name; null for any.</summary>
    public PinnedText? Hostname { get; init; }

    /// <summary>Everything that is mounted into it.</summary>
    public IReadOnlyList<PinnedVolume> Volumes { get; init; } = [];

    /// <summary>Containers that must have ended with exit code 0 before it starts.</summary>
    public IReadOnlyList<string> AfterCompletion { get; init; } = [];

    /// <summary>Containers that must have been started before it.</summary>
    public IReadOnlyList<string> AfterStart { get; init; } = [];

    /// <summary>Commands that the host may run in it.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Exec { get; init; } = [];

    /// <summary>True if the host may run any command in it, read what it prints and write what it reads.</summary>
    public bool ExecAny { get; init; }

    /// <summary>Services of the guest that it may use (docs/guest-services.md).</summary>
    public IReadOnlyList<PinnedService> Services { get; init; } = [];

    /// <summary>Pins a process as <see cref="ContainerProcess.Merge"/> gives it.</summary>
    public static PinnedContainer Of(string name, string reference, string manifestDigest, bool encrypted, ContainerProcess process) => new()
    {
        Name = name,
        Reference = reference,
        ManifestDigest = manifestDigest,
        Encrypted = encrypted,
        Args = [.. process.Args.Select(PinnedText.Exactly)],
        Env = [.. process.Env.Select(PinnedText.Exactly)],
        Cwd = process.Cwd,
        Users = [process.User],
    };
}

/// <summary>What the policy demands of a sealed image's manifest.</summary>
/// <param name="MinimumRevision">An older release is refused, even if the digest is pinned; 0 accepts any.</param>
/// <param name="Author">Thumbprint (RFC 7638) of the key that must have signed it; empty if nobody need have.</param>
public sealed record PinnedSeal(long MinimumRevision, string Author);
