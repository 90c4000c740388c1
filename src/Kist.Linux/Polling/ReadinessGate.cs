namespace Kist.Linux.Polling;

/// <summary>
/// Where one waiter waits for the next edge. Take the wait before trying the call that may say EAGAIN: an edge between
/// the two is then not lost.
/// </summary>
sealed class ReadinessGate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _next = New();

    public Task Next
    {
        get
        {
            lock (_lock)
                return _next.Task;
        }
    }

    public void Open()
    {
        TaskCompletionSource opened;
        lock (_lock)
        {
            opened = _next;
            _next = New();
        }

        opened.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
