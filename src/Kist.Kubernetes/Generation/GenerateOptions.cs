using Kist.Host;

namespace Kist.Kubernetes;

/// <summary>What the owner allows beyond what a manifest says.</summary>
public sealed record GenerateOptions
{
    /// <summary>The namespace of objects that name none.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>Commands that the cluster may run in containers, in all of them or in one.</summary>
    public IReadOnlyList<ContainerGrant<IReadOnlyList<string>>> Exec { get; init; } = [];

    /// <summary>True if any command may be run in all containers.</summary>
    public bool AllowAnyExec { get; init; }

    /// <summary>Ports of the pod's programs that the host may connect to.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>
    /// True for a pod without a cluster: its name and addresses are known, it has no service account, and nobody adds variables
    /// or volumes.
    /// </summary>
    public bool IsLocal { get; init; }

    /// <summary>Guest services that containers may use.</summary>
    public IReadOnlyList<ContainerGrant<PinnedService>> Services { get; init; } = [];

    /// <summary>True if the cluster may read what containers print (kubectl logs).</summary>
    public bool AllowLogs { get; init; }

    /// <summary>True if the cluster may write standard input of containers that ask for it (kubectl attach).</summary>
    public bool AllowAttach { get; init; }

    /// <summary>True if images with a layer in the clear may run.</summary>
    public bool AllowPlainImages { get; init; }

    /// <summary>True if Secrets that the cluster can read may be used.</summary>
    public bool AllowClusterSecrets { get; init; }

    /// <summary>True if files whose content the cluster chooses may be mounted: service account tokens and the like.</summary>
    public bool AllowServiceAccountToken { get; init; }
}
