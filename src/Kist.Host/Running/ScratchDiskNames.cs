using System.Security.Cryptography;
using System.Text;

namespace Kist.Host;

/// <summary>
/// Serial numbers of scratch disks. A volume's name may be longer than the twenty characters that a disk's serial number has,
/// so that the number is made of the name's digest. It proves nothing: whatever disk the host attaches is encrypted.
/// </summary>
public static class ScratchDiskNames
{
    private const int Digits = 16;

    /// <summary>The serial number for a volume of a pod.</summary>
    public static string SerialOf(string volume) => $"s{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(volume)))[..Digits]}";
}
