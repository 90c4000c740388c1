using Kist.Linux;
using Kist.Linux.Devices;

namespace Kist.Agent.Boot;

/// <summary>Loads the initrd's kernel modules, whose names begin with their place in the order.</summary>
static class GuestModules
{
    private const string Folder = "/lib/kist/modules";
    private static readonly Lock s_storage = new();

    /// <summary>Drivers of one TEE, and faster ciphers of one processor, fail on machines of another.</summary>
    private static readonly string[] MayFail = ["tdx_guest", "sev_guest", "tsm", "aesni_intel", "sha256_ssse3", "crc32c_intel"];

    /// <summary>What every guest needs.</summary>
    public static void Load() => Load(Folder);

    /// <summary>
    /// Device mapper, ciphers and file systems, which only some guests need: they would cost every start a quarter of a
    /// second. Does nothing if they are there.
    /// </summary>
    public static void LoadStorage()
    {
        lock (s_storage)
            Load($"{Folder}/storage");
    }

    private static void Load(string folder)
    {
        foreach (var path in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            try
            {
                KernelModules.Load(path);
            }
            catch (SystemCallException e) when (e.Errno == Errno.ENODEV && MayFail.Any(n => path.EndsWith($"-{n}.ko", StringComparison.Ordinal)))
            {
                // Not this machine's.
            }

            // Loaded once and for all: its file only takes memory.
            File.Delete(path);
        }
    }
}
