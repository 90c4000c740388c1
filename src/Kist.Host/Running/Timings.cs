using Kist.Pods;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>Collects how long the steps of a start take, on the host and in the guest.</summary>
internal sealed class Timings(TimeProvider time) : IProgress<LaunchStep>
{
    private readonly List<StepTiming> _steps = [];
    private readonly Lock _lock = new();
    private long _last = time.GetTimestamp();

    public IReadOnlyList<StepTiming> Steps
    {
        get
        {
            lock (_lock)
                return [.. _steps];
        }
    }

    /// <summary>Ends the step that began with the last one's end.</summary>
    public void Finish(string name)
    {
        Add(name, time.GetElapsedTime(_last));
        Restart();
    }

    public void Restart() => _last = time.GetTimestamp();

    /// <summary>A step of the launch.</summary>
    public void Report(LaunchStep value) => Add($"machine.{value.Name}", value.Duration);

    /// <summary>The steps that the agent timed itself. They lie within "container" or before the agent's first answer.</summary>
    public void AddGuest(Progress progress)
    {
        foreach (var step in progress.Steps.Where(s => s.EndedMicroseconds >= s.StartedMicroseconds))
            Add($"guest.{step.Name}", TimeSpan.FromMicroseconds(step.EndedMicroseconds - step.StartedMicroseconds));
    }

    private void Add(string name, TimeSpan duration)
    {
        lock (_lock)
            _steps.Add(new StepTiming(name, Math.Round(duration.TotalMilliseconds, 1)));
    }
}
