using Kist.Linux;
using Kist.Linux.Devices;

namespace Kist.Agent.Boot;

/// <summary>Loads the initrd's kernel modules, whose names begin with their place in the order.</summary>
static class GuestModules
{
    private const string Folder = "/lib/kist/modules";

    /// <summary>Drivers of one TEE fail on machines of another; that is how a machine says which it is.</summary>
    private static readonly string[] MayFail = ["tdx_guest", "sev_guest", "tsm"];

    public static void Load()
    {
        foreach (var path in Directory.GetFiles(Folder).Order(StringComparer.Ordinal))
        {
            try
            {
                KernelModules.Load(path);
            }
            catch (SystemCallException e) when (e.Errno == Errno.ENODEV && MayFail.Any(n => path.EndsWith($"-{n}.ko", StringComparison.Ordinal)))
            {
                // Not this machine's TEE.
            }

            // Loaded once and for all: its file only takes memory.
            File.Delete(path);
        }
    }
}
