using Kist.Shim.Bundles;
using Kist.Shim.Streams;
using Kist.Ttrpc;

namespace Kist.Shim.Tasks;

/// <summary>A task of the pod: the pod itself, or a container in it.</summary>
internal sealed class TaskContainer
{
    private const int MaximumExecutions = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, TaskProcess> _executed = new(StringComparer.Ordinal);

    public TaskContainer(Bundle bundle, StreamPaths paths)
    {
        Bundle = bundle;
        First = new TaskProcess(this, "", bundle.Spec.Process, paths);
    }

    public Bundle Bundle { get; }

    public string Id => Bundle.Id;

    public TaskProcess First { get; }

    /// <summary>True if something of it runs in the guest; the pod itself has no process.</summary>
    public bool IsInGuest => Bundle.Kind != TaskKind.Sandbox;

    /// <summary>True once the guest was told to make it.</summary>
    public bool IsCreatedInGuest { get; set; }

    public IReadOnlyList<TaskProcess> All
    {
        get
        {
            lock (_lock)
                return [First, .. _executed.Values];
        }
    }

    public TaskProcess Find(string execId)
    {
        if (execId.Length == 0)
            return First;
        lock (_lock)
            return _executed.GetValueOrDefault(execId) ?? throw new TtrpcException(TtrpcStatusCode.NotFound, $"process {execId} of {Id} does not exist");
    }

    public TaskProcess Add(string execId, ProcessSpec spec, StreamPaths paths)
    {
        var process = new TaskProcess(this, execId, spec, paths);
        lock (_lock)
        {
            if (_executed.Count >= MaximumExecutions)
                throw new TtrpcException(TtrpcStatusCode.ResourceExhausted, $"{Id} has {MaximumExecutions} executed processes");
            if (!_executed.TryAdd(execId, process))
                throw new TtrpcException(TtrpcStatusCode.AlreadyExists, $"process {execId} of {Id} exists");
        }

        return process;
    }

    public void Remove(string execId)
    {
        lock (_lock)
            _executed.Remove(execId);
    }
}
