using Kist.Formats;
using Kist.Linux.Polling;

namespace Kist.Agent.Boot;

/// <summary>The virtio-serial ports that the host has given this guest, by name.</summary>
static class VirtioPorts
{
    private const string Folder = "/sys/class/virtio-ports";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Opens a port, waiting for the driver to find it.</summary>
    public static async Task<PolledStream> OpenAsync(string name)
    {
        for (var waited = TimeSpan.Zero; ; waited += TimeSpan.FromMilliseconds(5))
        {
            if (Find(name) is { } device && File.Exists(device))
                return new PolledStream(File.OpenHandle(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite), name);
            if (waited > Patience)
                throw new OperationFailedException("open port", name, "the host has given this guest no such port");
            await Task.Delay(5);
        }
    }

    /// <summary>True if the host has given a port of that name; the driver finds all ports at the same time.</summary>
    public static bool Exists(string name) => Find(name) is not null;

    private static string? Find(string name)
    {
        if (!Directory.Exists(Folder))
            return null;
        foreach (var port in Directory.GetDirectories(Folder))
        {
            var file = Path.Combine(port, "name");
            if (File.Exists(file) && File.ReadAllText(file).TrimEnd('\n') == name)
                return $"/dev/{Path.GetFileName(port)}";
        }

        return null;
    }
}
