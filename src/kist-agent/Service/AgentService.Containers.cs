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
                ContainerFactory.Remove(request.ContainerId);
            }

            guest.Containers.Forget(request.ContainerId);
            throw;
        }
    }

    private async Task<StartContainerResponse> StartAsync(StartContainerRequest request, CancellationToken cancellationToken)
    {
        Ask(PolicyRules.StartContainer, request.ContainerId, guest.Containers.State().Write);
        using var step = guest.Progress.Start("container.start", request.ContainerId);
        var pid = await guest.Containers.Get(request.ContainerId).StartAsync(cancellationToken);
        step.Finish();
        // Pulling left garbage that would stay resident for the container's life; the collector here runs only on demand.
        _ = Task.Run(() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive), CancellationToken.None);
        return new StartContainerResponse { Pid = (uint)pid };
    }

    private Empty Update(UpdateContainerRequest request)
    {
        var limits = request.Limits ?? new ResourceLimits();
        Ask(PolicyRules.UpdateContainer, request.ContainerId, json => WriteLimits(json, limits));
        guest.Containers.Get(request.ContainerId).Update(limits);
        return new Empty();
    }

    private async Task<Empty> PauseAsync(PauseContainerRequest request, CancellationToken cancellationToken)
    {
        Ask(PolicyRules.PauseContainer, request.ContainerId);
        await guest.Containers.Get(request.ContainerId).FreezeAsync(true, cancellationToken);
        return new Empty();
    }

    private async Task<Empty> ResumeAsync(ResumeContainerRequest request, CancellationToken cancellationToken)
    {
        Ask(PolicyRules.ResumeContainer, request.ContainerId);
        await guest.Containers.Get(request.ContainerId).FreezeAsync(false, cancellationToken);
        return new Empty();
    }

    private Metrics Stats(StatsContainerRequest request)
    {
        Ask(PolicyRules.StatsContainer, request.ContainerId);
        return guest.Containers.Get(request.ContainerId).Metrics();
    }

    private async Task<Empty> RemoveAsync(RemoveContainerRequest request, CancellationToken cancellationToken)
    {
        Ask(PolicyRules.RemoveContainer, request.ContainerId);
        await guest.Containers.Get(request.ContainerId).DisposeAsync();
        guest.Services.Close(request.ContainerId);
        ContainerFactory.Remove(request.ContainerId);
        guest.Containers.Forget(request.ContainerId);
        return new Empty();
    }

    /// <summary>Says no more than the end of a container by its memory limit would: nothing is asked but the rule for that.</summary>
    private async Task<OutOfMemoryEvent> OutOfMemoryAsync(GetOutOfMemoryEventRequest request, CancellationToken cancellationToken)
    {
        for (var left = TimeSpan.FromMilliseconds(Math.Min(request.WaitMilliseconds, MaximumWait.TotalMilliseconds)); ; left -= OutOfMemoryPoll)
        {
            if (_outOfMemory.Next(guest.Containers.All) is { } container)
            {
                Ask(PolicyRules.StatsContainer, container.Id);
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
