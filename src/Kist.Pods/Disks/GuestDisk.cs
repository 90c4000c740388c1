namespace Kist.Pods.Disks;

/// <summary>A read-only disk of a guest beside the init-data. What lies on it is proven by the guest or by nobody.</summary>
/// <param name="Serial">Its serial number, by which the guest finds it: 1 to 20 letters and digits.</param>
public abstract record GuestDisk(string Serial);

/// <summary>A file as a disk. All guests that have it share the host's page cache.</summary>
/// <param name="Serial">Its serial number.</param>
/// <param name="Path">The file.</param>
public sealed record FileDisk(string Serial, string Path) : GuestDisk(Serial);

/// <summary>A disk whose blocks this process provides (NBD over a socket pair).</summary>
/// <param name="Serial">Its serial number.</param>
/// <param name="Source">Where the blocks come from; the caller keeps it open while the guest runs.</param>
public sealed record ServedDisk(string Serial, IBlockSource Source) : GuestDisk(Serial);
