namespace Kist.Linux.Processes;

/// <summary>
/// For PID 1 (or a subreaper): reaps every child, its own and the orphans that the kernel hands it, and tells whoever
/// waits for one. Nothing else in the process may wait for children.
/// </summary>
public sealed class ChildReaper
{
    /// <summary>Exits of processes that nobody has asked for yet; the oldest are forgotten beyond this many.</summary>
    private const int MaximumUnclaimed = 4096;

    private readonly object _lock = new();
    private readonly Dictionary<int, TaskCompletionSource<ChildExit>> _waiting = [];
    private readonly Dictionary<int, ChildExit> _ended = [];
    private readonly Queue<int> _endedOrder = [];
    private bool _started;

    /// <summary>Reaping begins with the first child that is started here: until then other code may wait for children of its own.</summary>
    public ChildReaper() => new Thread(Run, 128 << 10) { IsBackground = true, Name = "reaper" }.Start();

    /// <summary>Starts a child; wait for it with <see cref="WaitAsync"/>.</summary>
    public int Start(ChildStart start)
    {
        var pid = Spawner.Start(start);
        lock (_lock)
        {
            _started = true;
            Monitor.Pulse(_lock);
        }

        return pid;
    }

    /// <summary>Waits for a child that this process started by other means, such as a thread with fewer rights.</summary>
    public Task<ChildExit> Adopt(int pid)
    {
        lock (_lock)
        {
            _started = true;
            Monitor.Pulse(_lock);
        }

        return WaitAsync(pid);
    }

    /// <summary>
    /// How a process ended. It may be a child's child that has become ours since its parent ended; a process can be
    /// waited for once.
    /// </summary>
    public Task<ChildExit> WaitAsync(int pid)
    {
        lock (_lock)
        {
            if (_ended.Remove(pid, out var exit))
                return Task.FromResult(exit);
            if (!_waiting.TryGetValue(pid, out var source))
                _waiting[pid] = source = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return source.Task;
        }
    }

    private void Run()
    {
        while (true)
        {
            WaitForStart();
            while (ProcessWait.ForAnyChild() is { } ended)
                Tell(ended.Pid, ended.Exit);
        }
    }

    private void WaitForStart()
    {
        lock (_lock)
        {
            while (!_started)
                Monitor.Wait(_lock);
            _started = false;
        }
    }

    private void Tell(int pid, ChildExit exit)
    {
        lock (_lock)
        {
            if (_waiting.Remove(pid, out var source))
            {
                source.SetResult(exit);
                return;
            }

            _ended[pid] = exit;
            _endedOrder.Enqueue(pid);
            if (_endedOrder.Count > MaximumUnclaimed)
                _ended.Remove(_endedOrder.Dequeue());
        }
    }
}
