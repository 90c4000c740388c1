using System.Globalization;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Linux.Storage;

namespace Kist.Images.Sealed;

/// <summary>
/// Mounts the file systems of a sealed image in the guest, read-only: finds each disk by its serial number, maps verity and
/// crypt over it, mounts EROFS. A wrong disk, key or root hash maps without complaint, but the mount then reads the
/// superblock through both and fails.
/// </summary>
public static class SealedMount
{
    /// <summary>Mounts one file system.</summary>
    /// <param name="fileSystem">From the opened sealed manifest; its key is wiped.</param>
    /// <param name="name">A name for the mapped devices, unique in the guest.</param>
    /// <param name="directory">Where to mount it; must exist.</param>
    public static void Mount(SealedFileSystem fileSystem, string name, string directory)
    {
        var disk = FindDisk(SealedDeviceTables.DiskSerial(fileSystem));
        using var mapper = new DeviceMapper();
        var sectors = SealedDeviceTables.Sectors(fileSystem);
        var verity = mapper.CreateReadOnly(name + "-verity", sectors, "verity", SealedDeviceTables.Verity(fileSystem, disk));
        try
        {
            var parameters = SealedDeviceTables.Crypt(fileSystem, verity);
            string plain;
            try
            {
                plain = mapper.CreateReadOnly(name + "-plain", sectors, "crypt", parameters);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(parameters);
                CryptographicOperations.ZeroMemory(fileSystem.Key);
            }

            MountPlain(mapper, plain, name, directory);
        }
        catch
        {
            mapper.Remove(name + "-verity");
            throw;
        }
    }

    private static void MountPlain(DeviceMapper mapper, string plain, string name, string directory)
    {
        try
        {
            Mounts.Mount(plain, directory, "erofs", MountOptions.ReadOnly | MountOptions.NoDevices);
        }
        catch (Exception e) when (e is OperationFailedException or IOException)
        {
            mapper.Remove(name + "-plain");
            throw new OperationFailedException(
                "mount sealed image", directory, "the first blocks do not verify or do not decrypt: the disk, the key or the root hash is another's",
                "was the blob changed in the host's cache?", inner: e);
        }
    }

    private static string FindDisk(string serial)
    {
        foreach (var disk in Directory.EnumerateDirectories("/sys/block"))
        {
            var file = Path.Combine(disk, "serial");
            if (File.Exists(file) && File.ReadAllText(file).Trim() == serial)
                return "/dev/" + Path.GetFileName(disk);
        }

        throw new OperationFailedException(
            "mount sealed image", serial, string.Create(CultureInfo.InvariantCulture, $"no disk has the serial number {serial}"), "the host must attach every blob of the image");
    }
}
