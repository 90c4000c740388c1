using System.Text.Json;
using Kist.Agent.Containers;
using Kist.Agent.Policy;
using Kist.Pods.Protocol.Agent;
using Kist.Pods.Protocol.Metrics;

namespace Kist.Agent.Service;

/// <content>Requests about whole containers.</content>
sealed partial class AgentService
{
    private static readonly TimeSpan OutOfMemoryPoll = TimeSpan.FromSeconds(1);

    private readonly OutOfMemoryWatch _outOfMemory = new();

    private async Task<CreateContainerResponse> CreateAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        guest.Containers.Reserve(request.ContainerId);
        Container? container = null;
        try
        {
            (container, var response) = await guest.Factory.CreateAsync(request, cancellationToken);
            guest.Containers.Set(request.ContainerId, container);
            return response;
        }
        catch
        {
            if (container is not null)
            {
                await container.DisposeAsync();
                guest.Services.Close(request.ContainerId);
                guest.Factory.Remove(request.ContainerId);
            }

            guest.Containers.Forget(request.ContainerId);
            throw;
        }
    }

    private async Task<StartContainerResponse> StartAsync(StartContainerRequest request, CancellationToken cancellationToken)
    {
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.StartContainer, container, guest.Containers.State().Write);
        using var step = guest.Progress.Start("container.start", container.Id);
        var pid = await container.StartAsync(cancellationToken);
        step.Finish();
        // Pulling left garbage that would stay resident for the container's life; the collector here runs only on demand.
        _ = Task.Run(() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive), CancellationToken.None);
        return new StartContainerResponse { Pid = (uint)pid };
    }

    private Empty Update(UpdateContainerRequest request)
    {
        var (container, limits) = (guest.Containers.Get(request.ContainerId), request.Limits ?? new ResourceLimits());
        Ask(PolicyRules.UpdateContainer, container, json => WriteLimits(json, limits));
        container.Update(limits);
        return new Empty();
    }

    private async Task<Empty> PauseAsync(PauseContainerRequest request, CancellationToken cancellationToken)
    {
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.PauseContainer, container);
        await container.FreezeAsync(true, cancellationToken);
        return new Empty();
    }

    private async Task<Empty> ResumeAsync(ResumeContainerRequest request, CancellationToken cancellationToken)
    {
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.ResumeContainer, container);
        await container.FreezeAsync(false, cancellationToken);
        return new Empty();
    }

    private Metrics Stats(StatsContainerRequest request)
    {
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.StatsContainer, container);
        return container.Metrics();
    }

    private async Task<Empty> RemoveAsync(RemoveContainerRequest request, CancellationToken cancellationToken)
    {
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.RemoveContainer, container);
        await container.RemoveAsync(() =>
        {
            guest.Services.Close(container.Id);
            guest.Factory.Remove(container.Id);
            guest.Containers.Forget(container.Id);
        });
        return new Empty();
    }

    /// <summary>Says no more than the end of a container by its memory limit would: nothing is asked but the rule for that.</summary>
    private async Task<OutOfMemoryEvent> OutOfMemoryAsync(GetOutOfMemoryEventRequest request, CancellationToken cancellationToken)
    {
        for (var left = TimeSpan.FromMilliseconds(Math.Min(request.WaitMilliseconds, MaximumWait.TotalMilliseconds)); ; left -= OutOfMemoryPoll)
        {
            if (_outOfMemory.Next(guest.Containers.All) is { } container)
            {
                Ask(PolicyRules.StatsContainer, container);
                return new OutOfMemoryEvent { ContainerId = container.Id };
            }

            if (left <= TimeSpan.Zero)
                return new OutOfMemoryEvent();
            await Task.Delay(OutOfMemoryPoll < left ? OutOfMemoryPoll : left, cancellationToken);
        }
    }

    private static void WriteLimits(Utf8JsonWriter json, ResourceLimits limits)
    {
        json.WriteStartObject("limits");
        json.WriteNumber("memory_bytes", limits.MemoryBytes);
        json.WriteNumber("cpu_millis", limits.CpuMillis);
        json.WriteNumber("pids", limits.Pids);
        json.WriteEndObject();
    }
}
