using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>A container of a plan: what the policy allows, and what the host will ask for.</summary>
public sealed record PlannedContainer
{
    /// <summary>What the policy allows. Its name is the container's identifier, too.</summary>
    public required PinnedContainer Pinned { get; init; }

    /// <summary>The image as the registry has it.</summary>
    public required ResolvedImage Image { get; init; }

    /// <summary>What the host asks of the agent.</summary>
    public required CreateContainerRequest Create { get; init; }

    /// <summary>True if it must have ended with exit code 0 before the next one starts.</summary>
    public bool IsInit { get; init; }

    /// <summary>True if the pod does not wait for its end.</summary>
    public bool IsSidecar { get; init; }

    /// <summary>When it is started again.</summary>
    public RestartRule Restart { get; init; } = RestartRule.Never;

    /// <summary>The disks that its volumes need.</summary>
    public IReadOnlyList<RunDisk> Disks { get; init; } = [];
}

/// <summary>A disk that a pod needs beside its images'.</summary>
/// <param name="Serial">Its serial number.</param>
/// <param name="SizeBytes">Of scratch: its size.</param>
/// <param name="File">Of a volume that outlives the guest: its file; null for scratch.</param>
public sealed record RunDisk(string Serial, long SizeBytes, string? File);
