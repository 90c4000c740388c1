using System.Net;

namespace Kist.Pods.Machines;

/// <summary>
/// The one way out of a pod's closed network: connections of the guest to an address of its own network that reach one
/// service of the host. Each connection is carried by a socat process.
/// </summary>
/// <param name="GuestPort">The port on <see cref="GuestAddress"/> that the guest connects to.</param>
/// <param name="Service">The service as the host reaches it.</param>
public sealed record GuestDoor(int GuestPort, IPEndPoint Service)
{
    /// <summary>The address that all doors have in the guest's network 10.0.2.0/24.</summary>
    public static IPAddress GuestAddress { get; } = new([10, 0, 2, 100]);

    /// <summary>
    /// QEMU's option, in which a comma that belongs to socat is doubled. What socat has to say must not reach the guest as
    /// the service's words, and QEMU gives its standard error to the guest too: hence -lf.
    /// </summary>
    internal string ToForward(string socat) => $"guestfwd=tcp:{GuestAddress}:{GuestPort}-cmd:{socat} -lf /dev/null STDIO TCP:{Service},,nodelay";
}
