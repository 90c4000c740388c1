namespace Kist.Pods;

/// <summary>Times consecutive steps.</summary>
sealed class StepWatch(TimeProvider time, IProgress<LaunchStep>? progress)
{
    private readonly List<LaunchStep> _steps = [];
    private long _since = time.GetTimestamp();

    public IReadOnlyList<LaunchStep> Steps => _steps;

    public void Finish(string name)
    {
        var now = time.GetTimestamp();
        var step = new LaunchStep(name, time.GetElapsedTime(_since, now));
        _since = now;
        _steps.Add(step);
        progress?.Report(step);
    }
}
