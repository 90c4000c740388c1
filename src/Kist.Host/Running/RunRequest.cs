namespace Kist.Host;

/// <summary>What <c>kist run</c> was asked for.</summary>
public sealed record RunRequest
{
    /// <summary>The image as the user named it.</summary>
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

    /// <summary>Services of the guest that the container may use.</summary>
    public IReadOnlyList<PinnedService> Services { get; init; } = [];

    /// <summary>File for what was asked of the guest, which then allows everything; null for a guest under its policy.</summary>
    public string? LearnFile { get; init; }

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

    /// <summary>True if the host may execute anything in the container.</summary>
    public bool AllowExec { get; init; }

    /// <summary>True if the host may give the pod a network beside the doors.</summary>
    public bool AllowNetwork { get; init; }

    /// <summary>Time limit for everything until the program runs.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(3);
}
