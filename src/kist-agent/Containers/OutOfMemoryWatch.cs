namespace Kist.Agent.Containers;

/// <summary>Remembers what has been told of processes that the kernel ended for want of memory.</summary>
sealed class OutOfMemoryWatch
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ulong> _told = new(StringComparer.Ordinal);

    /// <summary>A container that has lost a process since it was last asked about; null if there is none.</summary>
    public Container? Next(IReadOnlyList<Container> containers)
    {
        lock (_lock)
        {
            foreach (var gone in _told.Keys.Except(containers.Select(c => c.Id)).ToArray())
                _told.Remove(gone);
            foreach (var container in containers)
            {
                var kills = container.OutOfMemoryKills;
                if (kills <= _told.GetValueOrDefault(container.Id))
                    continue;
                _told[container.Id] = kills;
                return container;
            }
        }

        return null;
    }
}
