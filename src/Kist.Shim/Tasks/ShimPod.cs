using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kist.Formats;
using Kist.Linux.Processes;
using Kist.Linux.Terminals;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Protocol;
using Kist.Shim.Bundles;
using Kist.Shim.Events;
using Kist.Shim.Launching;
using Kist.Shim.Network;
using Kist.Shim.Protocol;
using Kist.Shim.Protocol.Events;
using Kist.Shim.Streams;
using Kist.Ttrpc;

namespace Kist.Shim.Tasks;

/// <summary>
/// The pod that this shim serves: one virtual machine, and the tasks in it. Every change of a task is told to containerd in
/// the order in which it happens.
/// </summary>
internal sealed partial class ShimPod(ShimArguments arguments, EventPublisher events, ShimLog log, TimeProvider time) : IAsyncDisposable
{
    private const string StatusWhenUnknown = "its end could not be learnt";
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(30), StopGrace = TimeSpan.FromSeconds(1), OutOfMemoryWait = TimeSpan.FromSeconds(50);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly CancellationTokenSource _ended = new();
    private readonly Dictionary<string, TaskContainer> _containers = new(StringComparer.Ordinal);
    private PodStarter? _starter;
    private RunningPod? _pod;
    private SandboxCgroup? _cgroup;
    private string? _networkNamespace;
    private ForwardedPorts? _ports;

    /// <summary>True if no task is left.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _containers.Count == 0;
        }
    }

    /// <summary>The virtual machine's process on the host: what stands for every task there. 0 if there is none.</summary>
    public uint ProcessId => (uint)(_pod?.ProcessId ?? 0);

    public TaskContainer Find(string id)
    {
        lock (_lock)
            return _containers.GetValueOrDefault(id) ?? throw new TtrpcException(TtrpcStatusCode.NotFound, $"task {id} does not exist");
    }

    /// <summary>Makes a task: the pod's first starts the virtual machine.</summary>
    public async Task<TaskContainer> CreateAsync(CreateTaskRequest request, CancellationToken cancellationToken)
    {
        if (request.Checkpoint.Length > 0)
            throw new TtrpcException(TtrpcStatusCode.Unimplemented, "a guest's memory is its own: tasks cannot be restored from checkpoints");
        var bundle = Bundle.Load(request.Id, request.Bundle);
        var container = new TaskContainer(bundle, new StreamPaths(request.Stdin, request.Stdout, request.Stderr, request.Terminal));
        lock (_lock)
        {
            if (!_containers.TryAdd(request.Id, container))
                throw new TtrpcException(TtrpcStatusCode.AlreadyExists, $"task {request.Id} exists");
        }

        try
        {
            await CreateInGuestAsync(container, request, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            lock (_lock)
                _containers.Remove(request.Id);
            if (bundle.Kind != TaskKind.Member)
                await StopMachineAsync().ConfigureAwait(false);
            throw;
        }

        events.Publish("/tasks/create", new TaskCreate
        {
            ContainerId = request.Id,
            Bundle = request.Bundle,
            Rootfs = { request.Rootfs },
            Io = new TaskIO { Stdin = request.Stdin, Stdout = request.Stdout, Stderr = request.Stderr, Terminal = request.Terminal },
            Pid = ProcessId,
        });
        return container;
    }

    /// <summary>Runs a task's first process, or an executed one.</summary>
    public async Task StartAsync(TaskProcess process, CancellationToken cancellationToken)
    {
        var container = process.Container;
        if (process.Status != Status.Created)
            throw new TtrpcException(TtrpcStatusCode.FailedPrecondition, $"{container.Id} {process.ExecId} has been started");
        var size = process.TerminalSize;
        if (process.ExecId.Length > 0)
        {
            await Agent.ExecProcessAsync(ContainerRequests.Of(process), cancellationToken).ConfigureAwait(false);
        }
        else if (container.IsInGuest)
        {
            await SetSizeAsync(process, size, cancellationToken).ConfigureAwait(false);
            await Agent.StartContainerAsync(container.Id, cancellationToken).ConfigureAwait(false);
        }

        process.IsStarted = true;
        if (process.TerminalSize != size)
            await SetSizeAsync(process, process.TerminalSize, cancellationToken).ConfigureAwait(false);
        if (process.ExecId.Length > 0)
            events.Publish("/tasks/exec-started", new TaskExecStarted { ContainerId = container.Id, ExecId = process.ExecId, Pid = ProcessId });
        else
            events.Publish("/tasks/start", new TaskStart { ContainerId = container.Id, Pid = ProcessId });
        if (!container.IsInGuest)
            return;
        process.Streams = new TaskStreams(Agent, new ProcessId(container.Id, process.ExecId), process.Paths, log);
        process.Streams.Start();
        _ = WatchAsync(process);
    }

    /// <summary>Registers a process to be executed in a running task.</summary>
    public void AddExecution(ExecProcessRequest request)
    {
        var container = Find(request.Id);
        if (!container.IsInGuest)
            throw new TtrpcException(TtrpcStatusCode.FailedPrecondition, "the pod itself has no program to execute");
        container.Add(
            request.ExecId, RuntimeSpec.ParseProcess(request.Spec.Value.Span), new StreamPaths(request.Stdin, request.Stdout, request.Stderr, request.Terminal));
        events.Publish("/tasks/exec-added", new TaskExecAdded { ContainerId = request.Id, ExecId = request.ExecId });
    }

    public async Task KillAsync(TaskProcess process, int signal, bool all, CancellationToken cancellationToken)
    {
        if (process.Exited.IsCompleted)
            throw new TtrpcException(TtrpcStatusCode.NotFound, "the process has finished");
        if (process.Container.IsInGuest && process.IsStarted)
        {
            await Agent.SignalProcessAsync(new ProcessId(process.Container.Id, process.ExecId), signal, all && process.ExecId.Length == 0, cancellationToken)
                .ConfigureAwait(false);
            return;
        }

        // A pod without a process, or a process that does not run yet: what would end it ends it.
        if (signal is not (Signals.Kill or Signals.Terminate or Signals.Interrupt or Signals.Quit or Signals.Hangup))
            return;
        if (!process.Container.IsInGuest)
            await StopMachineAsync().ConfigureAwait(false);
        End(process, (uint)(128 + signal));
    }

    /// <summary>Forgets a process that has ended or never ran; with the first one goes its task.</summary>
    public async Task<TaskExitStatus> DeleteAsync(TaskProcess process, CancellationToken cancellationToken)
    {
        var container = process.Container;
        if (process.Status is Status.Running or Status.Paused)
            throw new TtrpcException(TtrpcStatusCode.FailedPrecondition, $"{container.Id} {process.ExecId} is running");
        process.TryEnd(new TaskExitStatus(128 + Signals.Kill, Now()));
        if (process.Streams is { } streams)
        {
            await Task.WhenAny(streams.Drained, Task.Delay(DrainTimeout, time, cancellationToken)).ConfigureAwait(false);
            await streams.DisposeAsync().ConfigureAwait(false);
        }

        await ForgetInGuestAsync(process).ConfigureAwait(false);
        var exit = await process.Exited.ConfigureAwait(false);
        if (process.ExecId.Length > 0)
        {
            container.Remove(process.ExecId);
            return exit;
        }

        foreach (var executed in container.All.Where(p => p.Streams is not null))
            await executed.Streams!.DisposeAsync().ConfigureAwait(false);
        lock (_lock)
            _containers.Remove(container.Id);
        if (container.Bundle.Kind != TaskKind.Member)
            await StopMachineAsync().ConfigureAwait(false);
        events.Publish("/tasks/delete", new TaskDelete { ContainerId = container.Id, Pid = ProcessId, ExitStatus = exit.Code, ExitedAt = exit.At });
        return exit;
    }

    public async Task PauseAsync(TaskContainer container, bool pause, CancellationToken cancellationToken)
    {
        if (container.IsInGuest)
        {
            await (pause ? Agent.PauseContainerAsync(container.Id, cancellationToken) : Agent.ResumeContainerAsync(container.Id, cancellationToken))
                .ConfigureAwait(false);
        }

        container.First.IsPaused = pause;
        if (pause)
            events.Publish("/tasks/paused", new TaskPaused { ContainerId = container.Id });
        else
            events.Publish("/tasks/resumed", new TaskResumed { ContainerId = container.Id });
    }

    public Task UpdateAsync(TaskContainer container, ReadOnlySpan<byte> resources, CancellationToken cancellationToken) => container.IsInGuest
        ? Agent.UpdateContainerAsync(container.Id, ContainerRequests.LimitsOf(RuntimeSpec.ParseResources(resources)), cancellationToken)
        : Task.CompletedTask;

    /// <summary>Sets a terminal's size; a process that is not started finds it when it is.</summary>
    public Task ResizeAsync(TaskProcess process, TerminalSize size, CancellationToken cancellationToken)
    {
        process.TerminalSize = size;
        return process.IsStarted && process.Container.IsInGuest
            ? Agent.ResizeTtyAsync(new ProcessId(process.Container.Id, process.ExecId), size.Rows, size.Columns, cancellationToken)
            : Task.CompletedTask;
    }

    /// <summary>A size that the policy does not let in is no reason not to start.</summary>
    private async Task SetSizeAsync(TaskProcess process, TerminalSize? size, CancellationToken cancellationToken)
    {
        if (size is not { } known || !process.Paths.Terminal)
            return;
        try
        {
            await Agent.ResizeTtyAsync(new ProcessId(process.Container.Id, process.ExecId), known.Rows, known.Columns, cancellationToken).ConfigureAwait(false);
        }
        catch (AgentCallException e)
        {
            log.Info($"{process.Container.Id} {process.ExecId}: terminal's size: {e.Message}");
        }
    }

    /// <summary>What a container uses in the guest; what the pod's guest and shim use on the host.</summary>
    public async Task<IMessage> StatsAsync(TaskContainer container, CancellationToken cancellationToken) => container.IsInGuest
        ? await Agent.StatsContainerAsync(container.Id, cancellationToken).ConfigureAwait(false)
        : HostUse.Of([Environment.ProcessId, (int)ProcessId]);

    /// <summary>Ends the virtual machine and everything of the pod on the host.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await StopMachineAsync().ConfigureAwait(false);
        _cgroup?.LeaveAndRemove();
        _starting.Dispose();
    }

    private PodAgentClient Agent => _pod?.Agent ?? throw new TtrpcException(TtrpcStatusCode.FailedPrecondition, "the pod's virtual machine is not running");

    private Timestamp Now() => Timestamp.FromDateTimeOffset(time.GetUtcNow());
}
