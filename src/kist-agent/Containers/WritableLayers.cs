using System.Text;
using System.Text.RegularExpressions;
using Kist.Agent.Boot;
using Kist.Agent.Volumes;
using Kist.Linux.Files;
using Kist.Pods.Protocol;

namespace Kist.Agent.Containers;

/// <summary>
/// Where containers keep what they change in their root file systems: in the guest's memory, or on one encrypted disk of the
/// host's that the pod's containers share. When the disk is full, they see ENOSPC; what they delete is free for all.
/// </summary>
sealed partial class WritableLayers(EncryptedScratch scratch)
{
    private static readonly string Root = $"{FileSystems.Work}/writable";

    private readonly Lock _lock = new();
    private string _disk = "";
    private Task? _mounted;

    /// <summary>The folder of a container's changes.</summary>
    /// <param name="disk">Serial number of the disk; empty for memory.</param>
    /// <param name="id">The container.</param>
    /// <param name="folder">The container's folder in memory.</param>
    /// <exception cref="AgentException">The pod has another disk, or the host attached none of that serial number.</exception>
    public async Task<string> FolderAsync(string disk, string id, string folder)
    {
        if (disk.Length == 0)
            return folder;
        if (!SerialPattern().IsMatch(disk))
            throw Invalid(disk.Length <= 20 ? disk : "(long)", "the disk's serial number is no name");
        await MountAsync(disk);
        var own = Path.Combine(Root, id);
        Directory.CreateDirectory(own);
        return own;
    }

    /// <summary>Deletes a container's changes.</summary>
    public void Remove(string id)
    {
        if (_mounted is not { IsCompletedSuccessfully: true } || !Directory.Exists(Path.Combine(Root, id)))
            return;
        using var parent = DirectoryHandle.Open(Root);
        parent.RemoveTree(Encoding.UTF8.GetBytes(id));
    }

    private Task MountAsync(string disk)
    {
        lock (_lock)
        {
            if (_mounted is { IsCompleted: true, IsCompletedSuccessfully: false })
                _mounted = null; // the next container tries again
            if (_mounted is null)
            {
                Directory.CreateDirectory(Root);
                (_disk, _mounted) = (disk, scratch.MountAsync(disk, Root));
            }

            return _disk == disk ? _mounted : throw Invalid(disk, $"the pod's containers write on the disk {_disk}");
        }
    }

    private static AgentException Invalid(string subject, string reason) => new(FailureCode.InvalidRequest, "mount writable layer", subject, reason);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_.-]{0,19}\z", RegexOptions.CultureInvariant)]
    private static partial Regex SerialPattern();
}
