using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Kist.Shim.Bundles;

/// <summary>
/// Where a pod's shim listens. The name follows from containerd's address, the namespace and the pod, so that a second
/// container's "start" and a later "delete" find the shim.
/// </summary>
internal sealed record ShimSocket(string Path)
{
    /// <summary>As containerd's own shims do.</summary>
    private const string Folder = "/run/containerd/s";

    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>"unix://…", as containerd wants it.</summary>
    public string Address => $"unix://{Path}";

    public static ShimSocket Of(string containerd, string @namespace, string group) => new(System.IO.Path.Combine(
        Folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"kist\0{containerd}\0{@namespace}\0{group}")))));

    /// <summary>True if a shim listens.</summary>
    public bool Answers()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(Path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Listens, where nobody does.</summary>
    public Socket Listen()
    {
        Directory.CreateDirectory(Folder, Owner);
        File.Delete(Path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path));
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        socket.Listen(128);
        return socket;
    }

    public void Remove() => File.Delete(Path);
}
