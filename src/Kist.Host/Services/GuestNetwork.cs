using Kist.Pods.Machines;

namespace Kist.Host;

/// <summary>
/// How guests name what they reach on the host: one address, whose doors have the ports of the services themselves. The
/// addresses are fixed, since they are in the measured init-data.
/// </summary>
public static class GuestNetwork
{
    /// <summary>The address of every door.</summary>
    public static string Address { get; } = GuestDoor.GuestAddress.ToString();
}
