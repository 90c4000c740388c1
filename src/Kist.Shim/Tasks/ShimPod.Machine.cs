using Kist.Formats;
using Kist.Linux.Processes;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Protocol.Agent;
using Kist.Shim.Bundles;
using Kist.Shim.Launching;
using Kist.Shim.Network;
using Kist.Shim.Protocol;
using Kist.Shim.Protocol.Events;
using Kist.Ttrpc;

namespace Kist.Shim.Tasks;

/// <content>The pod's virtual machine, and what ends with it.</content>
internal sealed partial class ShimPod
{
    private async Task CreateInGuestAsync(TaskContainer container, CreateTaskRequest request, CancellationToken cancellationToken)
    {
        var bundle = container.Bundle;
        CreateContainerRequest? create;
        if (bundle.Kind == TaskKind.Member)
        {
            if (_pod is null || _starter is null)
                throw new TtrpcException(TtrpcStatusCode.FailedPrecondition, $"the pod of {bundle.Id} is not running");
            create = await _starter.RequestAsync(bundle, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            create = await StartMachineAsync(bundle, ConfigurationOf(request), cancellationToken).ConfigureAwait(false);
        }

        if (create is null)
            return;
        create.Stdin = request.Stdin.Length > 0;
        create.Tty = request.Terminal;
        await Agent.CreateContainerAsync(create, _starter!.Timeout, cancellationToken).ConfigureAwait(false);
        container.IsCreatedInGuest = true;
    }

    /// <summary>Starts the machine, once, and makes the pod in it.</summary>
    private async Task<CreateContainerRequest?> StartMachineAsync(Bundle bundle, ShimConfiguration configuration, CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_pod is not null)
                throw new TtrpcException(TtrpcStatusCode.AlreadyExists, "the pod's virtual machine is running");
            if (configuration.SandboxCgroup && (_cgroup = SandboxCgroup.Of(bundle.Spec.Linux.CgroupsPath)) is not null)
                _cgroup.Enter();
            _starter = new PodStarter(arguments, configuration, log, time);
            var network = (_networkNamespace = bundle.NetworkNamespace) is { } path ? PodNetwork.Join(path) : null;
            var started = await _starter.StartAsync(bundle, network, cancellationToken).ConfigureAwait(false);
            _pod = started.Pod;
            _ = EndWithMachineAsync(started.Pod);
            if (_networkNamespace is { } joined)
                _ports = ForwardedPorts.Open(joined, bundle.Find(ForwardedPorts.Annotation), (port, connection, token) => ForwardedPorts.CarryAsync(started.Pod.Agent, port, connection, token));
            if (bundle.Kind == TaskKind.Sandbox)
                await started.Pod.Agent.CreateSandboxAsync(SandboxRequests.Of(bundle), cancellationToken).ConfigureAwait(false);
            _ = WatchMemoryAsync(started.Pod.Agent);
            return started.Single;
        }
        finally
        {
            _starting.Release();
        }
    }

    private static ShimConfiguration ConfigurationOf(CreateTaskRequest request)
    {
        if (request.Options is not { } any || any.Value.IsEmpty)
            return ShimConfiguration.Load(null);
        if (any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..] != Options.Descriptor.FullName)
            return ShimConfiguration.Load(null); // options of another runtime, such as ctr gives to all
        var options = Options.Parser.ParseFrom(any.Value);
        return options.ConfigBody.Length > 0
            ? ShimConfiguration.Parse(options.ConfigBody.Span)
            : ShimConfiguration.Load(options.ConfigPath.Length > 0 ? options.ConfigPath : null);
    }

    private async Task StopMachineAsync()
    {
        if (Interlocked.Exchange(ref _ports, null) is { } ports)
            await ports.DisposeAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _networkNamespace, null) is { } path)
            PodNetwork.Leave(path);
        if (Interlocked.Exchange(ref _pod, null) is not { } pod)
            return;
        await pod.StopAsync(StopGrace).ConfigureAwait(false);
        await pod.DisposeAsync().ConfigureAwait(false);
        if (_starter is { } starter)
            await starter.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>When the machine ends, for whatever reason, so has everything in it.</summary>
    private async Task EndWithMachineAsync(RunningPod pod)
    {
        await pod.Ended.ConfigureAwait(false);
        TaskContainer[] containers;
        lock (_lock)
            containers = [.. _containers.Values];
        foreach (var process in containers.SelectMany(c => c.All).Where(p => p.IsStarted))
        {
            if (process.Exited.IsCompleted)
                continue;
            log.Error($"{process.Container.Id} {process.ExecId}: the guest is gone");
            End(process, 128 + Signals.Kill);
        }
    }

    private async Task WatchAsync(TaskProcess process)
    {
        var id = new ProcessId(process.Container.Id, process.ExecId);
        try
        {
            var exit = await Agent.WaitProcessAsync(id, _ended.Token).ConfigureAwait(false);
            foreach (var finding in _starter?.Describe(exit.CorruptedBlobs) ?? [])
                log.Error($"{id}: {finding}");
            if (exit.OutOfMemory && process.ExecId.Length == 0)
                events.Publish("/tasks/oom", new TaskOOM { ContainerId = id.ContainerId });
            End(process, (uint)exit.ExitCode);
        }
        catch (GuestLostException)
        {
            End(process, 128 + Signals.Kill);
        }
        catch (Exception e) when (e is OperationFailedException or ObjectDisposedException)
        {
            log.Error($"{id}: {StatusWhenUnknown}: {e.Message}");
            End(process, 255);
        }
        catch (OperationCanceledException)
        {
            // The shim ends.
        }
    }

    private async Task WatchMemoryAsync(PodAgentClient agent)
    {
        try
        {
            while (true)
            {
                if (await agent.GetOutOfMemoryEventAsync(OutOfMemoryWait, _ended.Token).ConfigureAwait(false) is not { } id)
                    continue;
                var first = Find(id).First;
                // The end of a first process says it by itself.
                if (!first.Exited.IsCompleted)
                    events.Publish("/tasks/oom", new TaskOOM { ContainerId = id });
            }
        }
        catch (Exception e) when (e is OperationFailedException or OperationCanceledException or ObjectDisposedException)
        {
            // The guest is gone, or says nothing of it.
        }
    }

    private void End(TaskProcess process, uint code)
    {
        var exit = new TaskExitStatus(code, Now());
        if (!process.TryEnd(exit))
            return;
        var container = process.Container;
        events.Publish("/tasks/exit", new TaskExit
        {
            ContainerId = container.Id,
            Id = process.ExecId.Length > 0 ? process.ExecId : container.Id,
            Pid = ProcessId,
            ExitStatus = code,
            ExitedAt = exit.At,
        });
    }

    private async Task ForgetInGuestAsync(TaskProcess process)
    {
        if (_pod is not { } pod || !process.Container.IsCreatedInGuest || (process.ExecId.Length > 0 && !process.IsStarted))
            return;
        try
        {
            await (process.ExecId.Length > 0
                ? pod.Agent.RemoveProcessAsync(new ProcessId(process.Container.Id, process.ExecId))
                : pod.Agent.RemoveContainerAsync(process.Container.Id)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationFailedException or ObjectDisposedException)
        {
            log.Error($"{process.Container.Id} {process.ExecId}: {e.Message}");
        }
    }
}
