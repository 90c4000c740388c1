using System.Globalization;
using System.Text;

namespace Kist.Shim;

/// <summary>Running shims, as the kernel lists them.</summary>
internal static class ShimProcesses
{
    /// <summary>Processes of this very program that serve a pod of one containerd.</summary>
    public static IReadOnlyList<int> Of(ShimArguments arguments) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(p => int.TryParse(Path.GetFileName(p), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && id != Environment.ProcessId && Serves(id, arguments)),
    ];

    private static bool Serves(int process, ShimArguments wanted)
    {
        try
        {
            if (File.ResolveLinkTarget($"/proc/{process}/exe", returnFinalTarget: false)?.FullName != Environment.ProcessPath)
                return false;
            var words = Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{process}/cmdline")).Split('\0', StringSplitOptions.RemoveEmptyEntries);
            var actual = ShimArguments.Parse(words[1..]);
            return actual.Action == "serve" && actual.Id == wanted.Id && actual.Namespace == wanted.Namespace && actual.Address == wanted.Address;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Formats.OperationFailedException)
        {
            return false; // it has ended, or is no shim
        }
    }
}
