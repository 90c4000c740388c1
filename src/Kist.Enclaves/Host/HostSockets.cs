using System.Net.Sockets;
using Kist.Linux.Files;
using Kist.Linux.Network;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Host;

/// <summary>The sockets of an enclave host, opened while the container's root is still in place.</summary>
/// <param name="Agent">Where the container runtime asks.</param>
/// <param name="Attestation">Where challengers ask.</param>
/// <param name="PlatformDirectory">The directory with the platform's sockets.</param>
sealed record HostSockets(PacketSocket Agent, Socket Attestation, SafeFileHandle PlatformDirectory)
{
    public static HostSockets Open()
    {
        File.Delete(HostPaths.Agent);
        using var root = DirectoryRoot.Open("/");
        return new HostSockets(
            PacketSocket.Listen(HostPaths.Agent), AttestationServer.Listen(HostPaths.Attestation), root.OpenPath(HostPaths.Platform[1..]));
    }
}
