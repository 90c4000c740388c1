using System.Globalization;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Linux.Storage;

namespace Kist.Images.Sealed;

/// <summary>
/// A sealed image that is mounted in the guest, read-only: its file system, or several one above the other. Disks are found by serial number; verity and crypt are mapped over them. A wrong disk, key or root hash maps without
/// complaint, but mounting reads the superblock through all of it and fails. Disposing undoes everything.
/// </summary>
public sealed class SealedMount : IDisposable
{
    private readonly Stack<Action> _undo = new();
    private readonly DeviceMapper _mapper = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _plainDevices = [];
    private readonly SealedMountPlace _place;
    private bool _isDisposed;

    private SealedMount(SealedMountPlace place) => _place = place;

    /// <summary>Mounts an image.</summary>
    /// <param name="manifest">The opened manifest; its keys are wiped.</param>
    /// <param name="place">Where; its root exists.</param>
    public static SealedMount Mount(SealedManifest manifest, SealedMountPlace place)
    {
        var mount = new SealedMount(place);
        try
        {
            if (manifest.FileSystems is [var only])
                mount.MountFileSystem(only, 0, place.Root);
            else
                mount.MountStack(manifest.FileSystems, place.Directory, place.Root);
            return mount;
        }
        catch
        {
            mount.Dispose();
            throw;
        }
        finally
        {
            manifest.WipeKeys();
        }
    }

    /// <summary>
    /// Blobs, by <see cref="SealedDeviceTables.DiskSerial"/>, of which the kernel has refused a block: the host's disk showed
    /// something else than the image's. Whoever read it got an I/O error.
    /// </summary>
    public IReadOnlyList<string> CorruptedBlobs()
    {
        lock (_lock)
        {
            // verity.rst, "Status": V as long as every block that was read was right, C afterwards.
            return _isDisposed ? [] : [.. _plainDevices.Keys.Where(id => _mapper.Status(VerityName(id)).StartsWith('C'))];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
        }

        while (_undo.TryPop(out var undo))
        {
            try
            {
                undo();
            }
            catch (OperationFailedException)
            {
                // Something still uses it; it ends with the guest.
            }
        }

        _mapper.Dispose();
    }

    private void MountStack(IReadOnlyList<SealedFileSystem> fileSystems, string directory, string root)
    {
        var layers = new List<string>();
        for (var i = 0; i < fileSystems.Count; i++)
        {
            var layer = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"layer{i}"));
            Directory.CreateDirectory(layer);
            MountFileSystem(fileSystems[i], i, layer);
            layers.Add(layer);
        }

        // Overlayfs wants the uppermost first.
        layers.Reverse();
        Mounts.Mount("overlay", root, "overlay", MountOptions.ReadOnly | MountOptions.NoDevices, $"lowerdir={string.Join(':', layers)}");
        _undo.Push(() => Mounts.Detach(root));
    }

    private void MountFileSystem(SealedFileSystem fileSystem, int index, string target)
    {
        List<string> plain = [.. fileSystem.Blobs.Select(MapBlob)];
        var device = fileSystem.IsWhole
            ? plain[0]
            : Create(string.Create(CultureInfo.InvariantCulture, $"{_place.Name}-{index}"), SealedDeviceTables.Linear(fileSystem, plain));
        try
        {
            Mounts.Mount(device, target, "erofs", MountOptions.ReadOnly | MountOptions.NoDevices);
        }
        catch (Exception e) when (e is OperationFailedException or IOException)
        {
            throw Refused(target, "the first blocks do not verify or do not decrypt: the disk, the key or the root hash is another's", e);
        }

        _undo.Push(() => Mounts.Detach(target));
    }

    /// <summary>A blob that several file systems use is mapped once.</summary>
    private string MapBlob(SealedBlob blob)
    {
        var id = SealedDeviceTables.DiskSerial(blob.Digest);
        if (_plainDevices.TryGetValue(id, out var existing))
            return existing;
        var disk = FindDisk(_place.DiskOfBlob.GetValueOrDefault(id, id));
        var verity = Create(VerityName(id), [new MapperTarget("verity", SealedDeviceTables.Sectors(blob), SealedDeviceTables.Verity(blob, disk))]);
        var parameters = SealedDeviceTables.Crypt(blob, verity);
        try
        {
            return _plainDevices[id] = Create($"{_place.Name}-{id}", [new MapperTarget("crypt", SealedDeviceTables.Sectors(blob), parameters)]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters);
        }
    }

    private string VerityName(string id) => $"{_place.Name}-{id}-verity";

    private string Create(string name, IReadOnlyList<MapperTarget> targets)
    {
        try
        {
            var device = _mapper.Create(name, isReadOnly: true, targets);
            _undo.Push(() => _mapper.Remove(name));
            return device;
        }
        catch (OperationFailedException e)
        {
            throw Refused(name, $"the {targets[0].Type} device cannot be made: the host's disk is shorter than the image says, or is no disk of it", e);
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
            "attach sealed image", serial, $"no disk has the serial number {serial}", "the host must attach every blob of the image");
    }

    private static OperationFailedException Refused(string subject, string reason, Exception inner) =>
        new("mount sealed image", subject, reason, "was a blob changed in the host's cache? kist image cache verify", inner: inner);
}
