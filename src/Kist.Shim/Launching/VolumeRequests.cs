using Google.Protobuf;
using Kist.Formats;
using Kist.Host;
using Kist.Pods.Protocol.Agent;
using Kist.Shim.Bundles;

namespace Kist.Shim.Launching;

/// <summary>
/// What becomes of a bundle's mounts. The file systems that every container has, the guest makes itself; of kubelet's
/// volumes, small files are handed over and scratch is made in the guest; anything else of the host has no way in.
/// </summary>
internal static class VolumeRequests
{
    private const int MaximumBytes = 2 << 20, MaximumFiles = 1024;
    private const string VolumesFolder = "/volumes/kubernetes.io~";

    /// <summary>What the guest makes as it sees fit, whatever the host would mount there.</summary>
    private static readonly string[] OwnDestinations = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/shm", "/dev/termination-log", "/run/.containerenv"];

    private static readonly string[] OwnTypes = ["proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2"];

    private static readonly string[] OwnTemporary = ["/dev", "/dev/shm", "/run"];

    /// <summary>The volumes of a container.</summary>
    /// <param name="spec">Its bundle's specification.</param>
    /// <param name="scratch">The pod's volumes that have a disk, with its size.</param>
    public static IEnumerable<Volume> Of(RuntimeSpec spec, IReadOnlyDictionary<string, long> scratch) => spec.Mounts.Where(m => !IsOwn(m)).Select(m => Convert(m, scratch));

    private static bool IsOwn(MountSpec mount) => OwnTypes.Contains(mount.Type, StringComparer.Ordinal)
        || OwnDestinations.Contains(mount.Destination, StringComparer.Ordinal)
        || (mount.Type == "tmpfs" && OwnTemporary.Contains(mount.Destination, StringComparer.Ordinal));

    private static Volume Convert(MountSpec mount, IReadOnlyDictionary<string, long> scratch)
    {
        var at = mount.Source.IndexOf(VolumesFolder, StringComparison.Ordinal);
        var parts = at < 0 ? [] : mount.Source[(at + VolumesFolder.Length)..].Split('/');
        if (parts.Length != 2)
        {
            throw new OperationFailedException(
                "pass on mount", mount.Destination, $"{mount.Source} is the host's, and a guest has no way to the host's files",
                "use emptyDir, ConfigMap, Secret or a projected volume, without subPath");
        }

        var volume = new Volume { Name = parts[1], MountPath = mount.Destination, ReadOnly = mount.Options.Contains("ro", StringComparer.Ordinal) };
        switch (parts[0])
        {
            case "empty-dir":
                volume.Scratch = scratch.TryGetValue(volume.Name, out var bytes)
                    ? new ScratchVolume { SizeBytes = (ulong)bytes, Disk = ScratchDiskNames.SerialOf(volume.Name) }
                    : new ScratchVolume();
                return volume;
            case "configmap" or "secret" or "projected" or "downward-api":
                volume.Files = ReadFiles(mount.Source);
                return volume;
            default:
                throw new OperationFailedException("pass on mount", mount.Destination, $"volumes of the kind {parts[0]} are not passed into a guest");
        }
    }

    /// <summary>kubelet keeps the files in "..data" and has links to them; names with two dots in front are its own.</summary>
    private static FilesVolume ReadFiles(string folder)
    {
        var volume = new FilesVolume();
        var total = 0L;
        Add(folder, "");
        return volume;

        void Add(string directory, string prefix)
        {
            foreach (var path in Directory.GetFileSystemEntries(directory).Order(StringComparer.Ordinal))
            {
                var name = Path.GetFileName(path);
                if (name.StartsWith("..", StringComparison.Ordinal))
                    continue;
                if (Directory.Exists(path))
                {
                    Add(path, $"{prefix}{name}/");
                    continue;
                }

                total += new FileInfo(Path.GetFullPath(path)).Length;
                if (total > MaximumBytes || volume.Files.Count >= MaximumFiles)
                    throw new OperationFailedException("pass on volume", folder, $"it has more than {MaximumFiles} files or {MaximumBytes} bytes");
                volume.Files.Add(new VolumeFile
                {
                    Path = prefix + name,
                    Mode = (uint)File.GetUnixFileMode(path),
                    Content = ByteString.CopyFrom(File.ReadAllBytes(path)),
                });
            }
        }
    }
}
