namespace Kist.Host;

/// <summary>A manifest of Kubernetes' as the user gave it.</summary>
/// <param name="Source">Its file's name, for messages.</param>
/// <param name="Text">Its text.</param>
public sealed record RunManifest(string Source, string Text);

/// <summary>What <c>kist run</c> was asked for.</summary>
public sealed record RunRequest
{
    /// <summary>The manifests of a pod of several containers; empty for one container that this request itself describes.</summary>
    public IReadOnlyList<RunManifest> Manifests { get; init; } = [];

    /// <summary>The image as the user named it; of a pod, the name of its manifest.</summary>
    public required string Image { get; init; }

    /// <summary>Replaces the image's Cmd; empty to keep it.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Replaces the image's entry point; null to keep it.</summary>
    public string? Entrypoint { get; init; }

    /// <summary>"NAME=value" entries.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Empty for the image's.</summary>
    public string WorkingDirectory { get; init; } = "";

    /// <summary>Empty for the image's.</summary>
    public string User { get; init; } = "";

    /// <summary>True if standard input is passed on.</summary>
    public bool Interactive { get; init; }

    /// <summary>True if the process gets a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>True if the root file system must not be written.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>What the container may use, in bytes; 0 for no limit but the guest's memory.</summary>
    public long MemoryLimitBytes { get; init; }

    /// <summary>Memory of the virtual machine in bytes; 0 to choose by the image's size and the limit.</summary>
    public long MachineMemoryBytes { get; init; }

    /// <summary>Thousandths of a processor that the container may use; 0 for no limit but the machine's.</summary>
    public int CpuMillis { get; init; }

    /// <summary>Virtual processors.</summary>
    public int VirtualCpus { get; init; } = 1;

    /// <summary>What is mounted into the container.</summary>
    public IReadOnlyList<RunVolume> Volumes { get; init; } = [];

    /// <summary>Services of the guest that containers may use, all of them or one.</summary>
    public IReadOnlyList<ContainerGrant<PinnedService>> Services { get; init; } = [];

    /// <summary>File for what was asked of the guest, which then allows everything; null for a guest under its policy.</summary>
    public string? LearnFile { get; init; }

    /// <summary>
    /// Size of the encrypted disk of this host on which the container's changes to its root file system are kept; 0 to keep them in
    /// the guest's memory; null for a disk of <see cref="DefaultWritableBytes"/> for sealed images, and memory for others.
    /// </summary>
    public long? WritableBytes { get; init; }

    /// <summary>Only what is written takes room on the host.</summary>
    public const long DefaultWritableBytes = 4L << 30;

    /// <summary>True if an image with a layer in the clear may run.</summary>
    public bool AllowPlainImage { get; init; }

    /// <summary>How the blobs of a sealed image are fetched.</summary>
    public BlobFetch Fetch { get; init; }

    /// <summary>The oldest release of a sealed image that may run; 0 for any.</summary>
    public long MinimumRevision { get; init; }

    /// <summary>Thumbprint (RFC 7638) of the key that must have signed a sealed image; empty if nobody need have.</summary>
    public string Author { get; init; } = "";

    /// <summary>What is demanded of the image, and what the guest is told of registries.</summary>
    public ImageDemands Images { get; init; } = new();

    /// <summary>True if Secrets in the clear may be used in a pod's manifest: whoever owns this machine reads them.</summary>
    public bool AllowClusterSecrets { get; init; }

    /// <summary>True if the host may execute anything in the containers.</summary>
    public bool AllowExec { get; init; }

    /// <summary>Commands that the host may execute, exactly.</summary>
    public IReadOnlyList<ContainerGrant<IReadOnlyList<string>>> ExecCommands { get; init; } = [];

    /// <summary>Ports of this machine that lead to the pod.</summary>
    public IReadOnlyList<PublishedPort> Published { get; init; } = [];

    /// <summary>Ports of the pod that the host may connect to later (kist port-forward).</summary>
    public IReadOnlyList<int> AllowedPorts { get; init; } = [];

    /// <summary>When the container is started again.</summary>
    public RestartRule Restart { get; init; } = RestartRule.Never;

    /// <summary>True if the host may give the pod a network beside the doors.</summary>
    public bool AllowNetwork { get; init; }

    /// <summary>Time limit for everything until the program runs.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(3);
}
