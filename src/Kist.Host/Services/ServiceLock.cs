namespace Kist.Host;

/// <summary>Held by the process that serves a state directory's development services.</summary>
internal static class ServiceLock
{
    private static string PathIn(StateDirectory state) => Path.Combine(state.Services, "lock");

    /// <summary>Takes the lock, or returns null if another process serves.</summary>
    public static FileLock? TryTake(StateDirectory state) => FileLock.TryAcquire(PathIn(state));

    /// <summary>True if a process serves.</summary>
    public static bool IsHeld(StateDirectory state)
    {
        using var taken = TryTake(state);
        return taken is null;
    }
}
