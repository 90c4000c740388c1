namespace Kist.Pods.Protocol;

/// <summary>Names of the virtio-serial ports between a guest and its host.</summary>
public static class PodPorts
{
    /// <summary>The host calls the guest's agent here: <see cref="PodAgentMethods.Service"/>.</summary>
    public const string Agent = "org.kist.agent";

    /// <summary>The guest calls the simulated platform here: <see cref="TdxPlatformMethods.Service"/>.</summary>
    public const string Simulator = "org.kist.simulator";
}
