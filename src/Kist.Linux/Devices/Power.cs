using System.Runtime.InteropServices;

namespace Kist.Linux.Devices;

/// <summary>Turning the machine off.</summary>
public static partial class Power
{
    private const int PowerOffCommand = 0x4321fedc;

    /// <summary>Powers the machine off at once, as PID 1 may. Returns only on failure.</summary>
    public static void Off() => SystemCallException.Check(reboot(PowerOffCommand), "power off", "machine");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int reboot(int command);
}
