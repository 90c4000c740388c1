using Kist.Agent.Images;
using Kist.Linux.Files;
using Kist.Linux.Processes;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Pods.Protocol.Metrics;

namespace Kist.Agent.Containers;

/// <summary>A container: its bundle, its first process, and those that were executed in it.</summary>
/// <param name="plan">What runs.</param>
/// <param name="bundle">The folder with config.json and the root file system.</param>
/// <param name="input">True if the host may write the first process's standard input.</param>
/// <param name="image">What its root file system is made from.</param>
/// <param name="reaper">Who starts and reaps processes.</param>
sealed class Container(ContainerPlan plan, string bundle, bool input, ImageStore.Lease image, ChildReaper reaper) : IAsyncDisposable
{
    /// <summary>More than this many executed processes at a time would be an attack on the guest's memory.</summary>
    private const int MaximumExecutions = 64;

    private readonly Lock _lock = new();
    private readonly ContainerCgroup _cgroup = new(plan.Id);
    private readonly GuestProcess _first = new(plan.Id, bundle, plan.Terminal, input, reaper);
    private readonly Dictionary<string, GuestProcess> _executed = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _lifecycle = new(1, 1);
    private bool _removed;

    public string Id => plan.Id;

    /// <summary>Its name in the policy.</summary>
    public string Name => plan.Name;

    public ContainerPlan Plan => plan;

    /// <summary>True once its program has ended with exit code 0.</summary>
    public bool IsCompleted => Exit is { IsCompletedSuccessfully: true, Result.ExitCode: 0 };

    /// <summary>The end of the first process; null before it runs.</summary>
    public Task<ChildExit>? Exit => _first.Exit;

    /// <summary>How many of its processes the kernel has ended for want of memory.</summary>
    public ulong OutOfMemoryKills => _cgroup.OutOfMemoryKills;

    /// <summary>The first process, or an executed one.</summary>
    public GuestProcess Process(string execId)
    {
        if (execId.Length == 0)
            return _first;
        lock (_lock)
        {
            return _executed.GetValueOrDefault(execId)
                ?? throw new AgentException(FailureCode.ContainerNotFound, "find process", Id, $"the container has no process '{execId}'");
        }
    }

    /// <summary>Runs the program and returns its number in the guest.</summary>
    public async Task<int> StartAsync(CancellationToken cancellationToken)
    {
        await _lifecycle.WaitAsync(cancellationToken);
        try
        {
            if (_removed)
                throw Invalid("start container", "it has been removed");
            if (_first.InitialSize is { } size)
                File.WriteAllBytes(Path.Combine(bundle, "config.json"), RuntimeSpecWriter.Write(plan with { TerminalSize = size }));
            await _first.StartAsync((console, files) => Crun.Run(Id, bundle, console, files), cancellationToken);
            return _first.Pid;
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>Runs another program and returns its number in the guest.</summary>
    public async Task<int> ExecuteAsync(ExecProcessRequest request, ExecPlan execution, CancellationToken cancellationToken)
    {
        var folder = ExecFolder(request.ExecId);
        var process = new GuestProcess($"{Id}/{request.ExecId}", folder, request.Tty, request.Stdin, reaper);
        Reserve(request.ExecId, process);
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllBytes(Path.Combine(folder, "process.json"), RuntimeSpecWriter.WriteProcess(execution));
            await process.StartAsync((console, files) => Crun.Execute(Id, folder, console, files), cancellationToken);
            return process.Pid;
        }
        catch
        {
            await ForgetAsync(request.ExecId);
            throw;
        }
    }

    /// <summary>Ends an executed process if it runs, and forgets it.</summary>
    public async Task RemoveProcessAsync(string execId)
    {
        var process = Process(execId.Length > 0 ? execId : throw Invalid("remove process", "the first process goes with its container"));
        if (process.Exit is { IsCompleted: false } running)
        {
            process.Signal(Signals.Kill);
            await running;
        }

        await ForgetAsync(execId);
    }

    /// <summary>How a process ended, once it has.</summary>
    public async Task<WaitProcessResponse> WaitAsync(string execId, CancellationToken cancellationToken)
    {
        var running = Process(execId).Exit ?? throw Invalid("wait for process", "it has not been started");
        var exit = await running.WaitAsync(cancellationToken);
        return new WaitProcessResponse
        {
            ExitCode = exit.ExitCode,
            Signal = exit.Signal,
            OutOfMemory = exit.Signal == Signals.Kill && OutOfMemoryKills > 0,
            CorruptedBlobs = { image.CorruptedBlobs() },
        };
    }

    /// <summary>Signals every process of the container.</summary>
    public void SignalAll(int signal)
    {
        if (Running("signal container"))
            _cgroup.SignalAll(signal);
    }

    public Task FreezeAsync(bool frozen, CancellationToken cancellationToken) =>
        Running("pause container") ? _cgroup.FreezeAsync(frozen, cancellationToken) : throw Invalid("pause container", "it has ended");

    public void Update(ResourceLimits limits)
    {
        if (!Running("update container"))
            throw Invalid("update container", "it has ended");
        _cgroup.SetLimits(limits);
    }

    public Metrics Metrics() => _cgroup.Metrics();

    /// <summary>
    /// Ends it and takes it away, once. Its identifier is free only after <paramref name="last"/>, so that no step meets what
    /// belongs to a later container of the same identifier.
    /// </summary>
    public async Task RemoveAsync(Action last)
    {
        await _lifecycle.WaitAsync();
        try
        {
            if (_removed)
                throw Invalid("remove container", "it has been removed");
            await DisposeAsync();
            last();
            _removed = true;
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>Ends the program if it runs, and takes away what crun made.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Exit is { IsCompleted: false })
        {
            // A frozen process does not die.
            await _cgroup.FreezeAsync(false, CancellationToken.None);
            _cgroup.SignalAll(Signals.Kill);
            await Exit;
        }

        if (Exit is not null)
            await reaper.WaitAsync(reaper.Start(Crun.Delete(Id)));
        await _first.DisposeAsync();
        string[] executed;
        lock (_lock)
            executed = [.. _executed.Keys];
        foreach (var execId in executed)
            await ForgetAsync(execId);
        Mounts.Detach(plan.RootFileSystem);
        image.Dispose();
    }

    private string ExecFolder(string execId) => Path.Combine(bundle, "exec", FolderName.Of(execId));

    private bool Running(string step) => Exit is { } exit ? !exit.IsCompleted : throw Invalid(step, "it has not been started");

    private void Reserve(string execId, GuestProcess process)
    {
        lock (_lock)
        {
            if (!Running("execute process"))
                throw Invalid("execute process", "it has ended");
            if (_executed.Count >= MaximumExecutions)
                throw Invalid("execute process", $"{MaximumExecutions} processes are executed in it");
            if (!_executed.TryAdd(execId, process))
                throw Invalid("execute process", $"it has a process '{execId}'");
        }
    }

    private async Task ForgetAsync(string execId)
    {
        GuestProcess? process;
        lock (_lock)
            _executed.Remove(execId, out process);
        if (process is null)
            return;
        await process.DisposeAsync();
        var folder = ExecFolder(execId);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private AgentException Invalid(string step, string reason) => new(FailureCode.InvalidRequest, step, Id, reason);
}
