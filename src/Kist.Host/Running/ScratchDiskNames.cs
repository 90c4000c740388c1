using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.Host;

/// <summary>
/// Serial numbers of scratch disks. A volume's name may be longer than the twenty characters that a disk's serial number has,
/// so that the number is made of the name's digest. It proves nothing: whatever disk the host attaches is encrypted.
/// </summary>
public static class ScratchDiskNames
{
    /// <summary>A pod's annotation that says which of its volumes get a disk, and of what size: "NAME=BYTES,…".</summary>
    public const string Annotation = "org.kist.scratch";

    private const int Digits = 16, MaximumVolumes = 16;
    private const long MaximumBytes = 1L << 40;

    /// <summary>Writes the annotation's value.</summary>
    public static string Write(IEnumerable<(string Name, long Bytes)> volumes) =>
        string.Join(',', volumes.OrderBy(v => v.Name, StringComparer.Ordinal).Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Name}={v.Bytes}")));

    /// <summary>Reads the annotation's value; null and empty say that there are none.</summary>
    /// <exception cref="OperationFailedException">It is no such text.</exception>
    public static IReadOnlyDictionary<string, long> Read(string? text)
    {
        var volumes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var entry in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = entry.Split('=');
            if (parts.Length != 2 || parts[0].Length == 0 || volumes.Count == MaximumVolumes
                || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) || bytes is < RunVolume.SmallestDiskBytes or > MaximumBytes
                || !volumes.TryAdd(parts[0], bytes))
            {
                throw new OperationFailedException("read annotation", Annotation, $"it is NAME=BYTES,…, of at most {MaximumVolumes} volumes of at least {RunVolume.SmallestDiskBytes} bytes");
            }
        }

        return volumes;
    }

    /// <summary>The serial number for a volume of a pod.</summary>
    public static string SerialOf(string volume) => $"s{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(volume)))[..Digits]}";
}
