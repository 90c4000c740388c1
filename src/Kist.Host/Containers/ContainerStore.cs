using System.Security.Cryptography;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Host;

/// <summary>
/// The containers of one state directory: a folder each, named by its short identifier. A supervisor holds the folder's lock
/// while it lives, so that whoever can take the lock knows that it is gone, however it went.
/// </summary>
public sealed class ContainerStore(StateDirectory state, TimeProvider time)
{
    /// <summary>A record larger than this was not written by us.</summary>
    private const int MaxRecordBytes = 1 << 20;

    /// <summary>Makes a container's folder and record.</summary>
    /// <param name="template">The record without identifier and time; its name must be unused.</param>
    public ContainerFolder Create(ContainerRecord template)
    {
        using var storeLock = FileLock.Acquire(Path.Combine(state.Containers, ".lock"));
        if (All().Any(c => c.Record.Name == template.Name))
        {
            throw new OperationFailedException(
                "create container", template.Name, "the name is in use", $"remove that one with: kist rm {template.Name}");
        }

        var id = RandomNumberGenerator.GetHexString(64, lowercase: true);
        // Sockets lie in the folder, and the path of a socket has room for 107 bytes: the whole identifier would not fit.
        var path = Path.Combine(state.Containers, id[..12]);
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var folder = new ContainerFolder(path, template with { Id = id, Created = time.GetUtcNow() });
        folder.Save(folder.Record);
        return folder;
    }

    /// <summary>Every container, newest first. Folders without a readable record are passed over.</summary>
    public IReadOnlyList<ContainerFolder> All()
    {
        var found = new List<ContainerFolder>();
        foreach (var path in Directory.EnumerateDirectories(state.Containers))
        {
            if (TryLoad(path) is { } folder)
                found.Add(folder);
        }

        return [.. found.OrderByDescending(f => f.Record.Created)];
    }

    /// <summary>Finds a container by name, identifier, or the unambiguous beginning of an identifier.</summary>
    public ContainerFolder Find(string nameOrId)
    {
        var all = All();
        var matches = all.Where(c => c.Record.Name == nameOrId).ToList();
        if (matches.Count == 0 && nameOrId.Length > 0)
            matches = [.. all.Where(c => c.Record.Id.StartsWith(nameOrId, StringComparison.Ordinal))];
        return matches.Count switch
        {
            1 => matches[0],
            0 => throw new OperationFailedException("find container", nameOrId, "there is none of that name", "list them with: kist ps -a"),
            _ => throw new OperationFailedException("find container", nameOrId, $"{matches.Count} containers begin so", "give more digits"),
        };
    }

    /// <summary>
    /// Removes what killed supervisors left: containers that were to be removed are removed, others are marked as failed.
    /// </summary>
    public void Reconcile()
    {
        foreach (var folder in All())
        {
            if (folder.Record.Status is not (ContainerStatus.Starting or ContainerStatus.Running) || folder.IsSupervised())
                continue;
            if (folder.Record.AutoRemove)
                folder.Delete();
            else
                folder.MarkLost(time.GetUtcNow());
        }
    }

    private static ContainerFolder? TryLoad(string path)
    {
        try
        {
            var file = new FileInfo(Path.Combine(path, ContainerFolder.RecordFile));
            if (!file.Exists || file.Length > MaxRecordBytes)
                return null;
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(file.FullName), HostJson.Default.ContainerRecord);
            return record is null ? null : new ContainerFolder(path, record);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null; // being created or removed by another process at this moment
        }
    }
}
