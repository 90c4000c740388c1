using System.Globalization;
using System.Text.RegularExpressions;
using Kist.Agent.Boot;
using Kist.Agent.GuestServices;
using Kist.Linux.Files;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Volumes;

/// <summary>
/// The pod's volumes. The policy has allowed a request before it comes here: names, places, kinds, and the digest of every
/// file. Scratch of one name is one volume to all containers; files are each container's own, since each was judged alone.
/// </summary>
sealed partial class VolumeShelf(ServiceDesk desk, EncryptedScratch scratch, PersistentVolumes persistent)
{
    private const int MaximumVolumes = 64;

    /// <summary>The tmpfs' default: half of what the guest has left for images and containers.</summary>
    private const string DefaultSize = "50%";

    private static readonly string[] Reserved = ["/proc", "/sys", "/dev"];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Folder, ulong Size)> _scratch = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task<string>> _disks = new(StringComparer.Ordinal);

    /// <summary>Makes a container's volumes ready, parents of mount paths first.</summary>
    /// <param name="caller">The container.</param>
    /// <param name="volumes">What the host asks for and the policy allows.</param>
    /// <param name="folder">The container's own folder.</param>
    /// <param name="cancellationToken">Ends the wait for the key broker.</param>
    /// <exception cref="AgentException">A volume contradicts itself or another.</exception>
    public async Task<IReadOnlyList<BoundVolume>> PrepareAsync(
        Caller caller, IReadOnlyList<Volume> volumes, string folder, CancellationToken cancellationToken)
    {
        Check(volumes);
        var bound = new List<BoundVolume>();
        foreach (var volume in volumes.OrderBy(v => v.MountPath, StringComparer.Ordinal))
            bound.Add(await PrepareAsync(caller, volume, folder, cancellationToken));
        return bound;
    }

    private async Task<BoundVolume> PrepareAsync(Caller caller, Volume volume, string folder, CancellationToken cancellationToken)
    {
        switch (volume.SourceCase)
        {
            case Volume.SourceOneofCase.Files:
                var files = Path.Combine(folder, "volumes", volume.Name);
                await FilesVolumeWriter.WriteAsync(desk, caller, volume, files, cancellationToken);
                return new BoundVolume(files, volume.MountPath, ReadOnly: true, MayExecute: false);
            case Volume.SourceOneofCase.Scratch when volume.Scratch.Disk.Length == 0:
                return new BoundVolume(ShareMemory(volume), volume.MountPath, volume.ReadOnly, MayExecute: true);
            case Volume.SourceOneofCase.Scratch:
                return new BoundVolume(await DiskAsync(volume), volume.MountPath, volume.ReadOnly, MayExecute: true);
            case Volume.SourceOneofCase.Block when NamePattern().IsMatch(volume.Block.Disk):
                return new BoundVolume(await persistent.MountAsync(volume, cancellationToken), volume.MountPath, volume.ReadOnly, MayExecute: true);
            default:
                throw Invalid(volume.Name, "it says neither files nor scratch nor a disk");
        }
    }

    /// <summary>Memory of the guest, which the TEE encrypts.</summary>
    private string ShareMemory(Volume volume)
    {
        lock (_lock)
            return Memory(volume);
    }

    private string Memory(Volume volume)
    {
        if (_scratch.TryGetValue(volume.Name, out var known))
        {
            return known.Size == volume.Scratch.SizeBytes
                ? known.Folder
                : throw Invalid(volume.Name, "the pod has a volume of this name and another size");
        }

        var folder = $"{FileSystems.Work}/scratch/{volume.Name}";
        Directory.CreateDirectory(folder);
        var size = volume.Scratch.SizeBytes == 0 ? DefaultSize : volume.Scratch.SizeBytes.ToString(CultureInfo.InvariantCulture);
        Mounts.Mount("scratch", folder, "tmpfs", MountOptions.NoSetUid | MountOptions.NoDevices, $"mode=1777,size={size}");
        _scratch.Add(volume.Name, (folder, volume.Scratch.SizeBytes));
        return folder;
    }

    /// <summary>A disk of the host's, encrypted; containers that name it later share what the first has made.</summary>
    private Task<string> DiskAsync(Volume volume)
    {
        if (!NamePattern().IsMatch(volume.Scratch.Disk))
            throw Invalid(volume.Name, "the disk's serial number is no name");
        lock (_lock)
        {
            if (!_disks.TryGetValue(volume.Name, out var made))
                _disks.Add(volume.Name, made = MakeAsync());
            return made;
        }

        async Task<string> MakeAsync()
        {
            var folder = $"{FileSystems.Work}/scratch/{volume.Name}";
            Directory.CreateDirectory(folder);
            await scratch.MountAsync(volume.Scratch.Disk, folder);
            return folder;
        }
    }

    private static void Check(IReadOnlyList<Volume> volumes)
    {
        if (volumes.Count > MaximumVolumes)
            throw Invalid("pod", $"a container has at most {MaximumVolumes} volumes");
        foreach (var volume in volumes)
        {
            if (!NamePattern().IsMatch(volume.Name))
                throw Invalid(volume.Name.Length <= 64 ? volume.Name : "(long)", "a volume's name is [a-z0-9] and then up to 62 of [a-z0-9_.-]");
            if (!IsMountPath(volume.MountPath))
                throw Invalid(volume.Name, "it is mounted at an absolute path without \"..\", and not over /, /proc, /sys or /dev");
        }

        if (volumes.DistinctBy(v => v.MountPath).Count() < volumes.Count || volumes.DistinctBy(v => v.Name).Count() < volumes.Count)
            throw Invalid("pod", "two volumes of a container have one name or one path");
    }

    internal static bool IsMountPath(string path) =>
        path.Length is > 1 and <= 4096 && path[0] == '/' && !path.Contains('\0', StringComparison.Ordinal)
        && path[1..].Split('/').All(p => p is not ("" or "." or ".."))
        && !Reserved.Any(r => path == r || path.StartsWith($"{r}/", StringComparison.Ordinal));

    private static AgentException Invalid(string subject, string reason) => new(FailureCode.InvalidRequest, "mount volume", subject, reason);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_.-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
