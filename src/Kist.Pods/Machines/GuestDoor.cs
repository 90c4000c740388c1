using System.Net;

namespace Kist.Pods.Machines;

/// <summary>
/// The one way out of a pod's closed network: connections of the guest to an address of its own network that reach one
/// service of the host. Each connection is carried by a socat process.
/// </summary>
/// <param name="GuestPort">The port on <see cref="Address"/> that the guest connects to.</param>
/// <param name="Service">The service as the host reaches it.</param>
public sealed record GuestDoor(int GuestPort, IPEndPoint Service)
{
    /// <summary>How many addresses doors can have.</summary>
    public const int MaximumAddresses = 16;

    /// <summary>The address of doors in the guest's network 10.0.2.0/24, unless a port is needed twice.</summary>
    public static IPAddress GuestAddress { get; } = new([10, 0, 2, 100]);

    /// <summary>This door's address: <see cref="GuestAddress"/> or one of those behind it.</summary>
    public IPAddress Address { get; init; } = GuestAddress;

    /// <summary>The n-th address that doors can have, from 0.</summary>
    public static IPAddress AddressOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, MaximumAddresses);
        var bytes = GuestAddress.GetAddressBytes();
        bytes[3] += (byte)index;
        return new IPAddress(bytes);
    }

    /// <summary>
    /// QEMU's option, in which a comma that belongs to socat is doubled. What socat has to say must not reach the guest as
    /// the service's words, and QEMU gives its standard error to the guest too: hence -lf.
    /// </summary>
    internal string ToForward(string socat) => $"guestfwd=tcp:{Address}:{GuestPort}-cmd:{socat} -lf /dev/null STDIO TCP:{Service},,nodelay";
}
