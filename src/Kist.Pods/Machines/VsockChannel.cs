using Kist.Linux.Network;

namespace Kist.Pods.Machines;

/// <summary>A vsock port of a guest, for monitors and hosts that have vhost-vsock: any number of streams.</summary>
/// <param name="name">What the guest knows it by.</param>
/// <param name="endPoint">The guest's context identifier and port.</param>
public sealed class VsockChannel(string name, VsockEndPoint endPoint) : IGuestChannel
{
    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public Stream Open() => endPoint.Connect();
}
