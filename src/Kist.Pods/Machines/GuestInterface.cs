using Microsoft.Win32.SafeHandles;

namespace Kist.Pods.Machines;

/// <summary>A network interface of the guest whose other end is on the host.</summary>
/// <param name="Tap">The host's end (Kist.Linux.Network.TapDevice); starting the machine takes it over.</param>
/// <param name="HardwareAddress">The guest's end: "52:54:…".</param>
public sealed record GuestInterface(SafeFileHandle Tap, string HardwareAddress);
