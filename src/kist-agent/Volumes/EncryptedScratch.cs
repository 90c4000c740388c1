using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Kist.Agent.Boot;
using Kist.Linux.Files;
using Kist.Linux.Processes;
using Kist.Linux.Storage;
using Kist.Pods.Protocol;

namespace Kist.Agent.Volumes;

/// <summary>
/// A disk of the host's as scratch space: AES-256-XTS with a fresh IV for each write and HMAC-SHA-256 over each 4096 bytes
/// (dm-crypt in its authenticated mode over dm-integrity; Documentation/admin-guide/device-mapper). The key is random, is
/// known to this guest's kernel only, and dies with it. There is no header that the host could write: nothing on the disk is
/// believed. A block that the host changes is an I/O error; one that it puts back to what it was at an earlier time is not
/// noticed.
/// Reading what was never written is an I/O error too, so the file system must never do it: ext4 without a journal reads no
/// block that it has not written, once its read-ahead of inode tables is off, and mke2fs, without copies of the superblock, reads
/// within the first blocks only.
/// </summary>
sealed class EncryptedScratch(ChildReaper reaper)
{
    private const int KeySize = 64 + 32, TagSize = 32 + 16, BlockSize = 4096, SectorSize = 512, WipeBytes = 4 << 20, JournalSectors = 1024;
    private const string MakeFileSystem = "/usr/bin/mke2fs";

    /// <summary>Formats a disk and mounts it.</summary>
    /// <param name="serial">The disk's serial number, which also names the devices.</param>
    /// <param name="folder">An existing folder.</param>
    public async Task MountAsync(string serial, string folder)
    {
        GuestModules.LoadStorage();
        var disk = GuestDisks.Find(serial) ?? throw Failed(serial, "the host has attached no disk of this serial number");
        using var mapper = new DeviceMapper();
        var integrity = MapIntegrity(mapper, disk, serial, out var sectors);
        var device = MapCrypt(mapper, integrity, serial, sectors);
        Wipe(device, (long)sectors * SectorSize);
        var ended = await reaper.WaitAsync(reaper.Start(new ChildStart
        {
            Program = MakeFileSystem,
            Arguments =
            [
                "-q", "-F", "-t", "ext4", "-O", "^has_journal,^resize_inode,sparse_super2", "-E", "nodiscard,lazy_itable_init=1,num_backup_sb=0", "-m", "0",
                "-b", BlockSize.ToString(CultureInfo.InvariantCulture), device,
            ],
        }));
        if (ended.ExitCode != 0)
            throw Failed(serial, $"mke2fs ended with status {ended.ExitCode}");
        Mounts.Mount(device, folder, "ext4", MountOptions.NoSetUid | MountOptions.NoDevices, "errors=remount-ro,noinit_itable,inode_readahead_blks=0");
        File.SetUnixFileMode(folder, UnixFileMode.StickyBit | (UnixFileMode)0x1ff);
    }

    /// <summary>The kernel formats a device whose first block is zero when it is mapped, were it with one block only, and says its size there.</summary>
    private static string MapIntegrity(DeviceMapper mapper, string disk, string serial, out ulong sectors)
    {
        var name = $"scratch-{serial}-integrity";
        var parameters = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{disk} 0 {TagSize} D 2 block_size:{BlockSize} journal_sectors:{JournalSectors}"));
        using (var handle = File.OpenHandle(disk, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            RandomAccess.Write(handle, new byte[BlockSize], 0);
            RandomAccess.FlushToDisk(handle);
        }

        mapper.Create(name, isReadOnly: false, [new MapperTarget("integrity", BlockSize / SectorSize, parameters)]);
        mapper.Remove(name);
        var superblock = new byte[BlockSize];
        using (var handle = File.OpenHandle(disk, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
            RandomAccess.Read(handle, superblock, 0);
        // drivers/md/dm-integrity.c, struct superblock: 8 magic, 1 version, 1 interleave, 2 tag size, 4 journal sections, 8 data sectors
        sectors = BinaryPrimitives.ReadUInt64LittleEndian(superblock.AsSpan(16)) & ~(ulong)(BlockSize / SectorSize - 1);
        var size = ulong.Parse(File.ReadAllText($"/sys/class/block/{Path.GetFileName(disk)}/size").Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
        if (!superblock.AsSpan().StartsWith("integrt\0"u8) || sectors == 0 || sectors >= size)
            throw Failed(serial, "the disk does not hold what was written to it");
        return mapper.Create(name, isReadOnly: false, [new MapperTarget("integrity", sectors, parameters)]);
    }

    private static string MapCrypt(DeviceMapper mapper, string integrity, string serial, ulong sectors)
    {
        Span<byte> key = stackalloc byte[KeySize];
        Span<byte> text = stackalloc byte[2 * KeySize];
        RandomNumberGenerator.Fill(key);
        Convert.TryToHexStringLower(key, text, out _);
        var head = "capi:authenc(hmac(sha256),xts(aes))-random "u8;
        var tail = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $" 0 {integrity} 0 2 integrity:{TagSize}:aead sector_size:{BlockSize}"));
        var parameters = GC.AllocateArray<byte>(head.Length + text.Length + tail.Length, pinned: true);
        try
        {
            head.CopyTo(parameters);
            text.CopyTo(parameters.AsSpan(head.Length));
            tail.CopyTo(parameters.AsSpan(head.Length + text.Length));
            return mapper.Create($"scratch-{serial}", isReadOnly: false, [new MapperTarget("crypt", sectors, parameters)]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(text);
            CryptographicOperations.ZeroMemory(parameters);
        }
    }

    /// <summary>Writes the blocks that mke2fs reads: the first, of which it writes parts, and the first of the inode table, which it moves in.</summary>
    private static void Wipe(string device, long length)
    {
        using var handle = File.OpenHandle(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.Write(handle, new byte[(int)Math.Min(WipeBytes, length)], 0);
        RandomAccess.FlushToDisk(handle);
    }

    private static AgentException Failed(string serial, string reason) => new(FailureCode.InvalidRequest, "make scratch", serial, reason);
}
