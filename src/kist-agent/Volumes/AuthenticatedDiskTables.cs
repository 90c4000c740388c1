using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Kist.Linux.Storage;
using Kist.Pods.Protocol;

namespace Kist.Agent.Volumes;

/// <summary>
/// The device-mapper tables of a persistent volume (Documentation/admin-guide/device-mapper, dm-integrity and dm-crypt). The
/// keys are HKDF-SHA-256 of the volume's secret: 96 bytes for the blocks (64 for AES-256-XTS, 32 for HMAC-SHA-256) and 32 for
/// the journal, without which the host could have made-up entries replayed.
/// </summary>
sealed class AuthenticatedDiskTables : IDisposable
{
    /// <summary>Bytes of the sectors in which device mapper counts.</summary>
    public const int SectorSize = 512;

    private const int BlockKeySize = 64 + 32, JournalKeySize = 32, TagSize = 32 + 16, BlockSize = 4096;

    private readonly byte[] _keys = GC.AllocateArray<byte>(BlockKeySize + JournalKeySize, pinned: true);

    private AuthenticatedDiskTables()
    {
    }

    private ReadOnlySpan<byte> BlockKey => _keys.AsSpan(0, BlockKeySize);

    private ReadOnlySpan<byte> JournalKey => _keys.AsSpan(BlockKeySize);

    /// <summary>Derives the keys. The secret is used no further.</summary>
    public static AuthenticatedDiskTables Derive(ReadOnlySpan<byte> secret)
    {
        var tables = new AuthenticatedDiskTables();
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, tables._keys.AsSpan(0, BlockKeySize), [], "kist volume 1 blocks"u8);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, tables._keys.AsSpan(BlockKeySize), [], "kist volume 1 journal"u8);
        return tables;
    }

    /// <summary>True if a disk begins as dm-integrity's do. The kernel would format one that is empty, without a word.</summary>
    public static bool HasSuperblock(string disk) => ReadStart(disk).AsSpan().StartsWith("integrt\0"u8);

    /// <summary>Maps the layer that keeps the tags, with a journal: a guest may end at any time.</summary>
    /// <param name="mapper">The kernel's device mapper.</param>
    /// <param name="disk">The disk's node.</param>
    /// <param name="serial">Names the device.</param>
    /// <param name="format">True to make it anew.</param>
    /// <param name="sectors">How many sectors it has: the host's word, which the disk's size bounds.</param>
    public string MapIntegrity(DeviceMapper mapper, string disk, string serial, bool format, out ulong sectors)
    {
        var name = IntegrityName(serial);
        var parameters = Compose(string.Create(CultureInfo.InvariantCulture, $"{disk} 0 {TagSize} J 2 block_size:{BlockSize} journal_mac:hmac(sha256):"), JournalKey, "");
        try
        {
            if (format)
            {
                // The kernel formats a device whose first block is zero when it is mapped, were it with one block only.
                using (var handle = File.OpenHandle(disk, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
                {
                    RandomAccess.Write(handle, new byte[BlockSize], 0);
                    RandomAccess.FlushToDisk(handle);
                }

                mapper.Create(name, isReadOnly: false, [new MapperTarget("integrity", BlockSize / SectorSize, parameters)]);
                mapper.Remove(name);
            }

            // drivers/md/dm-integrity.c, struct superblock: 8 magic, 1 version, 1 interleave, 2 tag size, 4 journal sections, 8 data sectors
            var superblock = ReadStart(disk);
            sectors = BinaryPrimitives.ReadUInt64LittleEndian(superblock.AsSpan(16)) & ~(ulong)(BlockSize / SectorSize - 1);
            var size = ulong.Parse(File.ReadAllText($"/sys/class/block/{Path.GetFileName(disk)}/size").Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
            if (sectors == 0 || sectors >= size)
                throw new AgentException(FailureCode.VolumeRefused, "open volume", serial, "its superblock says a size that the disk does not have");
            return mapper.Create(name, isReadOnly: false, [new MapperTarget("integrity", sectors, parameters)]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters);
        }
    }

    /// <summary>Maps the layer that encrypts and authenticates.</summary>
    public string MapCrypt(DeviceMapper mapper, string integrity, string serial, ulong sectors)
    {
        var parameters = Compose(
            "capi:authenc(hmac(sha256),xts(aes))-random ", BlockKey,
            string.Create(CultureInfo.InvariantCulture, $" 0 {integrity} 0 2 integrity:{TagSize}:aead sector_size:{BlockSize}"));
        try
        {
            return mapper.Create(CryptName(serial), isReadOnly: false, [new MapperTarget("crypt", sectors, parameters)]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters);
        }
    }

    /// <summary>Takes both layers away: another disk may be attached in its place.</summary>
    public static void Unmap(DeviceMapper mapper, string serial)
    {
        mapper.Remove(CryptName(serial));
        mapper.Remove(IntegrityName(serial));
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_keys);

    private static string CryptName(string serial) => $"volume-{serial}";

    private static string IntegrityName(string serial) => $"volume-{serial}-integrity";

    /// <summary>Parameters with a key in hexadecimal, in memory that can be wiped.</summary>
    private static byte[] Compose(string head, ReadOnlySpan<byte> key, string tail)
    {
        var parameters = GC.AllocateArray<byte>(head.Length + 2 * key.Length + tail.Length, pinned: true);
        Encoding.ASCII.GetBytes(head, parameters);
        Convert.TryToHexStringLower(key, parameters.AsSpan(head.Length, 2 * key.Length), out _);
        Encoding.ASCII.GetBytes(tail, parameters.AsSpan(head.Length + 2 * key.Length));
        return parameters;
    }

    private static byte[] ReadStart(string disk)
    {
        var start = new byte[BlockSize];
        using var handle = File.OpenHandle(disk, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        RandomAccess.Read(handle, start, 0);
        return start;
    }
}
