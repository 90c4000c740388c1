namespace Kist.Ttrpc;

/// <summary>The calls that a connection has open.</summary>
sealed class CallSet
{
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _open = [];

    /// <summary>Starts a call; false if as many are open as a connection may have.</summary>
    public bool TryRun(Func<Task> call)
    {
        lock (_lock)
        {
            if (_open.Count >= TtrpcServer.MaximumConcurrentCalls)
                return false;
            var task = Task.Run(call);
            _open.Add(task);
            _ = task.ContinueWith(Remove, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return true;
        }
    }

    /// <summary>Completes when every call has ended.</summary>
    public Task WhenAllAsync()
    {
        lock (_lock)
            return Task.WhenAll(_open);
    }

    private void Remove(Task task)
    {
        lock (_lock)
            _open.Remove(task);
    }
}
