using Kist.Enclaves.Manifests;
using Kist.Linux.Files;
using Kist.Linux.Network;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Host;

/// <summary>The sockets of an enclave host, opened while the container's root is still in place.</summary>
/// <param name="Agent">Where the container runtime asks.</param>
/// <param name="Attestation">Where challengers ask.</param>
/// <param name="PlatformDirectory">The directory with the platform's sockets.</param>
/// <param name="ImageAgent">Where the pod asks its image agent; null unless this is one.</param>
/// <param name="Images">The directory of images at rest; null unless this is an image agent.</param>
sealed record HostSockets(PacketSocket Agent, SafeFileHandle Attestation, SafeFileHandle PlatformDirectory, PacketSocket? ImageAgent, DirectoryRoot? Images)
{
    public static HostSockets Open(EnclaveManifest manifest)
    {
        File.Delete(HostPaths.Agent);
        File.Delete(HostPaths.Attestation);
        using var root = DirectoryRoot.Open("/");
        var sockets = new HostSockets(
            PacketSocket.Listen(HostPaths.Agent), UnixListener.Listen(HostPaths.Attestation), root.OpenPath(HostPaths.Platform[1..]), null, null);
        if (manifest.Agent is null)
            return sockets;
        var images = $"{HostPaths.Pod}/{HostPaths.ImagesName}";
        Directory.CreateDirectory(images);
        File.Delete($"{HostPaths.Pod}/{HostPaths.ImageAgentName}");
        return sockets with
        {
            ImageAgent = PacketSocket.Listen($"{HostPaths.Pod}/{HostPaths.ImageAgentName}"),
            Images = DirectoryRoot.Open(images),
        };
    }
}
