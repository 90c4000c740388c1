namespace Kist.Pods.Protocol;

/// <summary>How a guest tells its network interfaces apart.</summary>
public static class GuestAddresses
{
    /// <summary>The hardware address of the interface that leads to the pod's doors and nowhere else; all others are the pod's network.</summary>
    public const string DoorInterface = "52:54:00:6b:69:73";
}
