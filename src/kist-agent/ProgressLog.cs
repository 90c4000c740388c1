using System.Diagnostics;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent;

/// <summary>
/// What the agent does and did, with times since the kernel's start (CLOCK_MONOTONIC, which <see cref="Stopwatch"/>
/// reads). Names are stable, subjects hold no secrets: the host sees both.
/// </summary>
sealed class ProgressLog
{
    /// <summary>Steps kept; a host that restarts containers for ever must not fill the guest's memory.</summary>
    private const int MaximumSteps = 1024;

    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];

    public static ulong NowMicroseconds => (ulong)(Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000));

    /// <summary>Begins a step; disposing it ends it, as failed unless it was finished.</summary>
    public Entry Start(string name, string subject = "", ulong? at = null)
    {
        var entry = new Entry(this, name, subject, at ?? NowMicroseconds);
        lock (_lock)
        {
            if (_entries.Count < MaximumSteps)
                _entries.Add(entry);
        }

        return entry;
    }

    /// <summary>For a step whose failure is seen elsewhere: disposing it ends it.</summary>
    public IDisposable Run(string name, string subject = "") => new Finishing(Start(name, subject));

    public Progress Snapshot()
    {
        var progress = new Progress { NowMicroseconds = NowMicroseconds };
        lock (_lock)
        {
            foreach (var entry in _entries)
                progress.Steps.Add(entry.ToMessage());
        }

        return progress;
    }

    public sealed class Entry(ProgressLog log, string name, string subject, ulong started) : IDisposable
    {
        private ulong _ended, _done, _total;
        private bool _failed;

        public void Advance(ulong done, ulong total)
        {
            lock (log._lock)
                (_done, _total) = (done, total);
        }

        public void Finish() => End(failed: false);

        public void Dispose() => End(failed: true);

        private void End(bool failed)
        {
            lock (log._lock)
            {
                if (_ended != 0)
                    return;
                _ended = Math.Max(1, NowMicroseconds);
                _failed = failed;
            }
        }

        internal ProgressStep ToMessage() => new()
        {
            Name = name,
            Subject = subject,
            StartedMicroseconds = started,
            EndedMicroseconds = _ended,
            BytesDone = _done,
            BytesTotal = _total,
            Failed = _failed,
        };
    }

    private sealed class Finishing(Entry entry) : IDisposable
    {
        public void Dispose() => entry.Finish();
    }
}
