namespace Kist.Images.Sealed;

/// <summary>Where in the guest a sealed image is mounted, and from which disks.</summary>
/// <param name="Name">A name for the mapped devices, unique in the guest.</param>
/// <param name="Directory">A directory for the mounts; it is made if missing. The root file system is "rootfs" in it.</param>
public sealed record SealedMountPlace(string Name, string Directory)
{
    /// <summary>
    /// The serial numbers of disks that have a blob and are not named after it, by <see cref="SealedDeviceTables.DiskSerial"/>
    /// of the blob. It is the host's word: a wrong disk does not verify.
    /// </summary>
    public IReadOnlyDictionary<string, string> DiskOfBlob { get; init; } = new Dictionary<string, string>();

    /// <summary>The root file system.</summary>
    public string Root => Path.Combine(Directory, "rootfs");
}
