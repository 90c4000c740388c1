using Kist.Host;
using Kist.Pods.Protocol;

namespace Kist.Kubernetes;

/// <summary>The requests that a cluster makes which does as the manifest says.</summary>
public static class HonestCluster
{
    /// <summary>The request to create a container, as the agent puts it before the policy.</summary>
    /// <param name="container">The container.</param>
    /// <param name="withOptional">True with the variables that a cluster may add; false without.</param>
    public static CreateContainerInput CreateRequest(PinnedContainer container, bool withOptional) => new()
    {
        ContainerId = "0123456789abcdef",
        ContainerName = container.Name,
        ImageReference = container.Reference[..container.Reference.IndexOf('@', StringComparison.Ordinal)],
        ManifestDigest = container.ManifestDigest,
        ConfigDigest = "sha256:0",
        Encrypted = container.Encrypted,
        Sealed = container.Seal is { } seal ? new SealedInput(seal.MinimumRevision, seal.Author) : null,
        WritableOnDisk = container.WritableDisk,
        Overrides = container.Overrides ?? new ProcessOverrides(null, [], [], "", ""),
        Process = new ContainerProcess(
            [.. container.Args.Select(a => a.Example)],
            [.. container.Env.Where(e => withOptional || e.IsRequired).Select(e => e.Example)],
            container.Cwd,
            container.Users[^1]),
        Terminal = container.Terminal,
        Capabilities = container.Capabilities ?? DefaultCapabilities.Names,
        ReadOnlyRoot = container.ReadOnlyRoot,
        Hostname = container.Hostname?.Example ?? "",
        Volumes = [.. container.Volumes.Select(v => v.Volume)],
    };
}
