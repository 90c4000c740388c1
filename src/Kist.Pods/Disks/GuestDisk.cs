namespace Kist.Pods.Disks;

/// <summary>A read-only disk of a guest beside the init-data. What lies on it is proven by the guest or by nobody.</summary>
/// <param name="Serial">Its serial number, by which the guest finds it: 1 to 20 letters and digits.</param>
public abstract record GuestDisk(string Serial);

/// <summary>A file as a disk. All guests that have it share the host's page cache.</summary>
/// <param name="Serial">Its serial number.</param>
/// <param name="Path">The file.</param>
public sealed record FileDisk(string Serial, string Path) : GuestDisk(Serial);

/// <summary>An empty disk that nobody else has and that ends with the guest. What the guest keeps there it encrypts.</summary>
/// <param name="Serial">Its serial number.</param>
/// <param name="SizeBytes">Its size; only what is written takes room on the host.</param>
/// <param name="Folder">A folder of the file system that is to hold it.</param>
public sealed record ScratchDisk(string Serial, long SizeBytes, string Folder) : GuestDisk(Serial)
{
    /// <summary>Makes the file, which has no name by the time this returns.</summary>
    internal Microsoft.Win32.SafeHandles.SafeFileHandle Create()
    {
        Directory.CreateDirectory(Folder);
        var path = Path.Combine(Folder, Path.GetRandomFileName());
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        try
        {
            File.Delete(path);
            RandomAccess.SetLength(file, SizeBytes);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}

/// <summary>A file that a guest writes and that outlives it. What the guest keeps there it encrypts and authenticates.</summary>
/// <param name="Serial">Its serial number.</param>
/// <param name="Path">The file. One guest at a time may have it: that is the caller's to see to.</param>
public sealed record VolumeDisk(string Serial, string Path) : GuestDisk(Serial);

/// <summary>A disk whose blocks this process provides (NBD over a socket pair).</summary>
/// <param name="Serial">Its serial number.</param>
/// <param name="Source">Where the blocks come from; the caller keeps it open while the guest runs.</param>
public sealed record ServedDisk(string Serial, IBlockSource Source) : GuestDisk(Serial);
