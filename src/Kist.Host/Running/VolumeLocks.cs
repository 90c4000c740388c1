using Kist.Formats;

namespace Kist.Host;

/// <summary>Volumes that one guest has: a second one that wrote the same file would destroy it.</summary>
sealed class VolumeLocks : IDisposable
{
    private readonly List<IDisposable> _held = [];

    /// <summary>Takes the files of all disks that have one.</summary>
    /// <exception cref="OperationFailedException">Another guest has one of them.</exception>
    public static VolumeLocks Acquire(IEnumerable<RunDisk> disks)
    {
        var locks = new VolumeLocks();
        try
        {
            foreach (var file in disks.Select(d => d.File).OfType<string>().Distinct(StringComparer.Ordinal))
                locks._held.Add(FileLock.TryAcquire($"{file}.lock") ?? throw new OperationFailedException("take volume", file, "another guest has it"));
            return locks;
        }
        catch
        {
            locks.Dispose();
            throw;
        }
    }

    public void Dispose() => _held.ForEach(h => h.Dispose());
}
