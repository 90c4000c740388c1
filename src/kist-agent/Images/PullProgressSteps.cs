using Kist.Images;

namespace Kist.Agent.Images;

/// <summary>Turns what a pull reports into steps of the progress log: two a layer.</summary>
sealed class PullProgressSteps(ProgressLog log) : IProgress<PullProgress>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(PullStep, int), ProgressLog.Entry> _entries = [];

    public void Report(PullProgress value)
    {
        lock (_lock)
        {
            if (value.Step == PullStep.Done)
            {
                Finish((PullStep.Fetch, value.Layer));
                Finish((PullStep.Unpack, value.Layer));
                return;
            }

            var key = (value.Step, value.Layer);
            if (!_entries.TryGetValue(key, out var entry))
            {
                var name = value.Step == PullStep.Fetch ? "image.fetch" : "image.unpack";
                _entries[key] = entry = log.Start(name, $"layer {value.Layer + 1} of {value.Layers}");
            }

            entry.Advance((ulong)value.Bytes, (ulong)value.TotalBytes);
            if (value.Step == PullStep.Unpack || value.Bytes == value.TotalBytes)
                Finish((PullStep.Fetch, value.Layer));
        }
    }

    /// <summary>Ends what a failed pull left open.</summary>
    public void Abandon()
    {
        lock (_lock)
        {
            foreach (var entry in _entries.Values)
                entry.Dispose();
        }
    }

    private void Finish((PullStep, int) key) => _entries.GetValueOrDefault(key)?.Finish();
}
