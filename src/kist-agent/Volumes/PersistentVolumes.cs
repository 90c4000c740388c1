using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Kist.Agent.Boot;
using Kist.Agent.GuestServices;
using Kist.Linux;
using Kist.Linux.Files;
using Kist.Linux.Processes;
using Kist.Linux.Storage;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Volumes;

/// <summary>
/// Disks of the host's that outlive the guest: AES-256-XTS with a fresh IV for each write and HMAC-SHA-256 over each 4096
/// bytes and its place (dm-crypt in its authenticated mode over dm-integrity), under keys derived from a secret of the broker.
/// The secret is the volume's identity: whatever was not written under it is refused.
/// <para>
/// A host can put back what it has kept, a block or the whole disk: that is a volume's own past, and nothing in the guest
/// can tell it from the present. A block of another place or another volume, a changed one, and an empty disk are told.
/// </para>
/// </summary>
sealed class PersistentVolumes(ServiceDesk desk, ChildReaper reaper)
{
    private const int BlockSize = 4096, WipeBytes = 1 << 20, LeastSecret = 32, MostSecret = 64;
    private const string MakeFileSystem = "/usr/bin/mke2fs";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Key, string Disk, Task<string> Folder)> _volumes = new(StringComparer.Ordinal);

    /// <summary>The folder where a volume is mounted; containers that name it later share what the first has mounted.</summary>
    /// <param name="volume">The volume, which the policy has allowed together with its key.</param>
    /// <param name="cancellationToken">Ends the wait for the key broker.</param>
    /// <exception cref="AgentException">The disk is not there, or is not the volume.</exception>
    public Task<string> MountAsync(Volume volume, CancellationToken cancellationToken)
    {
        var block = volume.Block;
        lock (_lock)
        {
            if (_volumes.TryGetValue(volume.Name, out var known) && !known.Folder.IsFaulted && !known.Folder.IsCanceled)
            {
                return known.Key == block.Key && known.Disk == block.Disk
                    ? known.Folder
                    : throw Failed(FailureCode.InvalidRequest, volume.Name, "the pod has a volume of this name with another key or disk");
            }

            if (_volumes.Any(v => v.Key != volume.Name && (v.Value.Key == block.Key || v.Value.Disk == block.Disk)))
                throw Failed(FailureCode.InvalidRequest, volume.Name, "another volume of the pod has its key or disk: each volume has its own");
            var mounting = OpenAsync(volume.Name, block, cancellationToken);
            _volumes[volume.Name] = (block.Key, block.Disk, mounting);
            return mounting;
        }
    }

    /// <summary>Writes out what containers have written. They have ended; the machine is powered off next.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (_volumes.Count > 0)
                FileSystemSync.All();
        }
    }

    private async Task<string> OpenAsync(string name, BlockVolume block, CancellationToken cancellationToken)
    {
        GuestModules.LoadStorage();
        var disk = GuestDisks.Find(block.Disk) ?? throw Failed(FailureCode.InvalidRequest, name, "the host has attached no disk of this serial number");
        using var mapper = new DeviceMapper();
        string device;
        ulong sectors;
        using (var secret = await desk.GetVolumeKeyAsync(block.Key, cancellationToken))
        {
            if (secret.Span.Length is < LeastSecret or > MostSecret)
                throw Failed(FailureCode.KeyRefused, name, $"its key has {secret.Span.Length} bytes, and not {LeastSecret} to {MostSecret}");
            using var tables = AuthenticatedDiskTables.Derive(secret.Span);
            if (!block.Format && !AuthenticatedDiskTables.HasSuperblock(disk))
                throw NotTheVolume(name);
            var integrity = tables.MapIntegrity(mapper, disk, block.Disk, block.Format, out sectors);
            device = tables.MapCrypt(mapper, integrity, block.Disk, sectors);
        }

        if (block.Format)
            await FormatAsync(name, device, (long)sectors * AuthenticatedDiskTables.SectorSize);
        var folder = $"{FileSystems.Work}/volumes/{name}";
        Directory.CreateDirectory(folder);
        try
        {
            Mounts.Mount(device, folder, "ext4", MountOptions.NoSetUid | MountOptions.NoDevices, "errors=remount-ro");
        }
        catch (SystemCallException)
        {
            // The kernel's reason is one of reading: the first block was not written under this key.
            AuthenticatedDiskTables.Unmap(mapper, block.Disk);
            throw NotTheVolume(name);
        }

        return folder;
    }

    private async Task FormatAsync(string name, string device, long length)
    {
        // Reading what was never written is an error of authentication: every block is written once.
        var zeros = new byte[WipeBytes];
        using (var handle = File.OpenHandle(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            for (long at = 0; at < length; at += WipeBytes)
                await RandomAccess.WriteAsync(handle, zeros.AsMemory(0, (int)Math.Min(WipeBytes, length - at)), at);
            RandomAccess.FlushToDisk(handle);
        }

        var ended = await reaper.WaitAsync(reaper.Start(new ChildStart
        {
            Program = MakeFileSystem,
            Arguments = ["-q", "-F", "-t", "ext4", "-E", "nodiscard,root_owner=0:0", "-m", "0", "-b", BlockSize.ToString(CultureInfo.InvariantCulture), device],
        }));
        if (ended.ExitCode != 0)
            throw Failed(FailureCode.Internal, name, $"mke2fs ended with status {ended.ExitCode}");
    }

    private static AgentException NotTheVolume(string name) => new(
        FailureCode.VolumeRefused, "open volume", name, "the disk does not hold this volume: it is empty, or was changed, or was written under another key",
        "the host must attach the volume's own disk; a new volume is formatted where its owner says so (:format)");

    private static AgentException Failed(string code, string name, string reason) => new(code, "open volume", name, reason);
}
