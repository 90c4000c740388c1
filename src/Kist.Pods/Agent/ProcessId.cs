namespace Kist.Pods.Agent;

/// <summary>Which process of a pod is meant.</summary>
/// <param name="ContainerId">The container.</param>
/// <param name="ExecId">The executed process; empty for the container's first.</param>
public readonly record struct ProcessId(string ContainerId, string ExecId)
{
    /// <summary>The container's first process.</summary>
    public static implicit operator ProcessId(string containerId) => new(containerId, "");

    /// <summary>The container's first process.</summary>
    public static ProcessId FromString(string containerId) => containerId;

    /// <inheritdoc/>
    public override string ToString() => ExecId.Length == 0 ? ContainerId : $"{ContainerId}/{ExecId}";
}
