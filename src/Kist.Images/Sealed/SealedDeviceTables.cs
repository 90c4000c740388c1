using System.Globalization;
using System.Text;
using Kist.Linux.Storage;

namespace Kist.Images.Sealed;

/// <summary>
/// The device-mapper tables of a sealed image. For each blob: verity over the disk as the host gives it, crypt over verity.
/// For a file system of several blobs: linear runs of their plain devices.
/// </summary>
public static class SealedDeviceTables
{
    private const int SectorsPerBlock = VerityTree.BlockSize / 512;

    /// <summary>512-byte sectors of a blob's data.</summary>
    public static ulong Sectors(SealedBlob blob) => (ulong)blob.DataBlocks * SectorsPerBlock;

    /// <summary>Parameters of the "verity" target (verity.rst): every block is hashed when it is read; a wrong one is an I/O error.</summary>
    public static byte[] Verity(SealedBlob blob, string device) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"1 {device} {device} {VerityTree.BlockSize} {VerityTree.BlockSize} {blob.DataBlocks} {blob.TreeBlock} sha256 {Hex(blob.RootHash)} {Hex(blob.Salt)}"));

    /// <summary>Parameters of the "crypt" target (dm-crypt.rst). They hold the key: wipe them after use.</summary>
    public static byte[] Crypt(SealedBlob blob, string verityDevice)
    {
        var head = "aes-xts-plain64 "u8;
        var tail = Encoding.ASCII.GetBytes($" 0 {verityDevice} 0 2 sector_size:4096 iv_large_sectors");
        var parameters = new byte[head.Length + 2 * AesXts.KeySize + tail.Length];
        head.CopyTo(parameters);
        Convert.TryToHexStringLower(blob.Key, parameters.AsSpan(head.Length), out _);
        tail.CopyTo(parameters.AsSpan(head.Length + 2 * AesXts.KeySize));
        return parameters;
    }

    /// <summary>The "linear" targets of a file system over its blobs' plain devices, in the order of its blobs.</summary>
    public static IReadOnlyList<MapperTarget> Linear(SealedFileSystem fileSystem, IReadOnlyList<string> plainDevices) =>
    [
        .. fileSystem.Extents.Select(e => new MapperTarget(
            "linear", (ulong)e.Count * SectorsPerBlock,
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{plainDevices[e.Blob]} {e.Start * SectorsPerBlock}")))),
    ];

    /// <summary>
    /// The serial number that the host gives the virtual disk of a blob, and by which the guest finds it: the first 20 digits
    /// of the blob's digest, which is all that virtio-blk has room for. It is a name, not a proof.
    /// </summary>
    public static string DiskSerial(Oci.Digest blob) => blob.Hex[..20];

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
