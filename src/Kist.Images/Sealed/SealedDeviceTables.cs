using System.Globalization;
using System.Text;

namespace Kist.Images.Sealed;

/// <summary>The device-mapper tables of a sealed file system: verity over the disk as the host gives it, crypt over verity.</summary>
public static class SealedDeviceTables
{
    /// <summary>512-byte sectors of the file system.</summary>
    public static ulong Sectors(SealedFileSystem fileSystem) => (ulong)fileSystem.DataBytes / 512;

    /// <summary>Parameters of the "verity" target (verity.rst): every block is hashed when it is read; a wrong one is an I/O error.</summary>
    public static byte[] Verity(SealedFileSystem fileSystem, string device) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"1 {device} {device} {VerityTree.BlockSize} {VerityTree.BlockSize} {fileSystem.DataBlocks} {fileSystem.TreeBlock} sha256 {Hex(fileSystem.RootHash)} {Hex(fileSystem.Salt)}"));

    /// <summary>Parameters of the "crypt" target (dm-crypt.rst). They hold the key: wipe them after use.</summary>
    public static byte[] Crypt(SealedFileSystem fileSystem, string verityDevice)
    {
        var head = "aes-xts-plain64 "u8;
        var tail = Encoding.ASCII.GetBytes($" 0 {verityDevice} 0 2 sector_size:4096 iv_large_sectors");
        var parameters = new byte[head.Length + 2 * AesXts.KeySize + tail.Length];
        head.CopyTo(parameters);
        Convert.TryToHexStringLower(fileSystem.Key, parameters.AsSpan(head.Length), out _);
        tail.CopyTo(parameters.AsSpan(head.Length + 2 * AesXts.KeySize));
        return parameters;
    }

    /// <summary>
    /// The serial number that the host gives the virtual disk of a blob, and by which the guest finds it: the first 20 digits
    /// of the blob's digest, which is all that virtio-blk has room for. It is a name, not a proof.
    /// </summary>
    public static string DiskSerial(SealedFileSystem fileSystem) => fileSystem.Blob.Hex[..20];

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
