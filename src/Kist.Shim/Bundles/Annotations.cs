namespace Kist.Shim.Bundles;

/// <summary>The annotations that mean something here: containerd's CRI plugin's, Kata Containers', and our own.</summary>
internal static class Annotations
{
    /// <summary>"sandbox" or "container".</summary>
    public const string ContainerType = "io.kubernetes.cri.container-type";

    /// <summary>The pod that a container belongs to.</summary>
    public const string SandboxId = "io.kubernetes.cri.sandbox-id";

    /// <summary>The container's name in its pod's manifest.</summary>
    public const string ContainerName = "io.kubernetes.cri.container-name";

    /// <summary>The image as the pod's manifest names it.</summary>
    public const string ImageName = "io.kubernetes.cri.image-name";

    /// <summary>The sum of the containers' memory limits in bytes.</summary>
    public const string SandboxMemory = "io.kubernetes.cri.sandbox-memory";

    /// <summary>base64 of gzip of the init-data document.</summary>
    public const string InitData = "io.katacontainers.config.hypervisor.cc_init_data";

    /// <summary>The guest's memory in MiB.</summary>
    public const string Memory = "io.katacontainers.config.hypervisor.default_memory";

    /// <summary>The guest's processors.</summary>
    public const string Processors = "io.katacontainers.config.hypervisor.default_vcpus";

    /// <summary>The image where nothing else says it, with its registry: "registry.example/app:v1".</summary>
    public const string Image = "org.kist.image";

    /// <summary>The container's name in the policy, where it is not the one of the pod's manifest.</summary>
    public const string Name = "org.kist.name";
}
