using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using Kist.Agent.Containers;
using Kist.Agent.Policy;
using Kist.Linux.Processes;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Ttrpc;

namespace Kist.Agent.Service;

/// <summary>
/// Answers the host (agent.proto). Every method waits for the boot, whose failure is the answer to all of them; what
/// could let data in or out asks the policy first.
/// </summary>
sealed class AgentService(Guest guest, Task booting)
{
    private const int MaximumRead = 1 << 20, DefaultRead = 64 << 10;
    private static readonly TimeSpan MaximumWait = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _shutdown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Serves until the host hangs up or asks to shut down.</summary>
    public async Task ServeAsync(Stream control)
    {
        var server = new TtrpcServer(Service()) { OnDefect = Report };
        await Task.WhenAny(server.ServeAsync(control), _shutdown.Task);
    }

    /// <summary>The console is the host's to read: what went wrong is said, the message is not.</summary>
    private static void Report(string method, Exception e) => Console.Error.WriteLine($"kist-agent: {method}: {e.GetType().Name}");

    private TtrpcService Service()
    {
        var service = new TtrpcService(PodAgentMethods.Service);
        Add(service, PodAgentMethods.GetGuestInfo, GetGuestInfoRequest.Parser, (_, _) => Task.FromResult(Info()));
        Add(service, PodAgentMethods.CreateContainer, CreateContainerRequest.Parser, CreateAsync);
        Add(service, PodAgentMethods.StartContainer, StartContainerRequest.Parser, StartAsync);
        Add(service, PodAgentMethods.WaitProcess, WaitProcessRequest.Parser, WaitAsync);
        Add(service, PodAgentMethods.ReadOutput, ReadOutputRequest.Parser, ReadAsync);
        Add(service, PodAgentMethods.WriteStdin, WriteStdinRequest.Parser, WriteAsync);
        Add(service, PodAgentMethods.CloseStdin, CloseStdinRequest.Parser, CloseAsync);
        Add(service, PodAgentMethods.SignalProcess, SignalProcessRequest.Parser, (r, _) => Task.FromResult(Signal(r)));
        Add(service, PodAgentMethods.ResizeTty, ResizeTtyRequest.Parser, (r, _) => Task.FromResult(Resize(r)));
        Add(service, PodAgentMethods.StatsContainer, StatsContainerRequest.Parser, (r, _) => Task.FromResult(Stats(r)));
        Add(service, PodAgentMethods.RemoveContainer, RemoveContainerRequest.Parser, RemoveAsync);
        Add(service, PodAgentMethods.GetProgress, GetProgressRequest.Parser, (_, _) => Task.FromResult(guest.Progress.Snapshot()), afterBoot: false);
        Add(service, PodAgentMethods.GetAttestation, GetAttestationRequest.Parser, (_, _) => Task.FromResult(guest.Keys.Status()));
        Add(service, PodAgentMethods.Shutdown, ShutdownRequest.Parser, ShutdownAsync, afterBoot: false);
        return service;
    }

    private void Add<TRequest, TResponse>(
        TtrpcService service, string method, MessageParser<TRequest> parser, Func<TRequest, CancellationToken, Task<TResponse>> handler, bool afterBoot = true)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse> =>
        service.Add(method, parser, async (request, cancellationToken) =>
        {
            try
            {
                if (afterBoot)
                    await booting.WaitAsync(cancellationToken);
                return await handler(request, cancellationToken);
            }
            catch (Exception e) when (FailureMapping.IsExpected(e) && e is not TtrpcException)
            {
                throw FailureMapping.ToStatus(e);
            }
        });

    private GuestInfo Info() => new()
    {
        AgentVersion = AgentVersion.Text,
        KernelRelease = RuntimeInformation.OSDescription,
        Tee = guest.Tee?.Tee ?? "",
        Simulated = guest.Tee?.IsSimulated ?? false,
        MemoryTotalBytes = (ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        Cpus = (uint)Environment.ProcessorCount,
        InitDataAlgorithm = guest.InitData?.Algorithm ?? "",
        InitDataDigest = ByteString.CopyFrom(guest.InitData?.Digest() ?? []),
        AgentResidentBytes = (ulong)Environment.WorkingSet,
        KernelBootMicroseconds = guest.Progress.Snapshot().Steps.FirstOrDefault()?.EndedMicroseconds ?? 0,
        KeyBrokerUrl = guest.Configuration.BrokerUrl?.ToString() ?? "",
        PolicyFromInitData = guest.Configuration.PolicyRego is not null,
    };

    private async Task<CreateContainerResponse> CreateAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        guest.Containers.Reserve(request.ContainerId);
        try
        {
            var (container, response) = await guest.Factory.CreateAsync(request, cancellationToken);
            guest.Containers.Set(request.ContainerId, container);
            return response;
        }
        catch
        {
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

    private async Task<WaitProcessResponse> WaitAsync(WaitProcessRequest request, CancellationToken cancellationToken)
    {
        Ask(PolicyRules.WaitProcess, request.ContainerId);
        var exit = guest.Containers.Get(request.ContainerId).Exit
            ?? throw new AgentException(FailureCode.InvalidRequest, "wait for container", request.ContainerId, "it has not been started");
        return await exit.WaitAsync(cancellationToken);
    }

    private async Task<ReadOutputResponse> ReadAsync(ReadOutputRequest request, CancellationToken cancellationToken)
    {
        var output = guest.Containers.Get(request.ContainerId).Output(request.Stream);
        if (!output.IsReleased)
        {
            var stream = request.Stream == OutputStream.Stdout ? "stdout" : "stderr";
            Ask(PolicyRules.ReadStream, request.ContainerId, json => json.WriteString("stream", stream));
            output.IsReleased = true;
        }

        var maximum = request.MaximumBytes == 0 ? DefaultRead : (int)Math.Min(request.MaximumBytes, MaximumRead);
        var wait = TimeSpan.FromMilliseconds(Math.Min(request.WaitMilliseconds, MaximumWait.TotalMilliseconds));
        var (data, end) = await output.ReadAsync(request.Offset, maximum, wait, cancellationToken);
        return new ReadOutputResponse { Data = UnsafeByteOperations.UnsafeWrap(data), End = end };
    }

    private async Task<WriteStdinResponse> WriteAsync(WriteStdinRequest request, CancellationToken cancellationToken)
    {
        var open = await Writable(request.ContainerId).WriteInputAsync(request.Data.Memory, cancellationToken);
        return new WriteStdinResponse { Closed = !open };
    }

    private async Task<Empty> CloseAsync(CloseStdinRequest request, CancellationToken cancellationToken)
    {
        await Writable(request.ContainerId).CloseInputAsync(cancellationToken);
        return new Empty();
    }

    private Container Writable(string containerId)
    {
        var container = guest.Containers.Get(containerId);
        if (!container.IsInputReleased)
        {
            Ask(PolicyRules.WriteStream, containerId);
            container.IsInputReleased = true;
        }

        return container;
    }

    private Empty Signal(SignalProcessRequest request)
    {
        if (request.Signal is 0 or > Signals.Maximum)
            throw new AgentException(FailureCode.InvalidRequest, "signal container", request.ContainerId, $"there is no signal {request.Signal}");
        Ask(PolicyRules.SignalProcess, request.ContainerId, json =>
        {
            json.WriteNumber("signal", request.Signal);
            json.WriteBoolean("all", request.All);
        });
        guest.Containers.Get(request.ContainerId).Signal((int)request.Signal, request.All);
        return new Empty();
    }

    private Empty Resize(ResizeTtyRequest request)
    {
        Ask(PolicyRules.TtyWinResize, request.ContainerId, json =>
        {
            json.WriteNumber("row", request.Rows);
            json.WriteNumber("column", request.Columns);
        });
        guest.Containers.Get(request.ContainerId).Resize((int)Math.Min(request.Rows, int.MaxValue), (int)Math.Min(request.Columns, int.MaxValue));
        return new Empty();
    }

    private ContainerStats Stats(StatsContainerRequest request)
    {
        Ask(PolicyRules.StatsContainer, request.ContainerId);
        return guest.Containers.Get(request.ContainerId).Stats();
    }

    private async Task<Empty> RemoveAsync(RemoveContainerRequest request, CancellationToken cancellationToken)
    {
        Ask(PolicyRules.RemoveContainer, request.ContainerId);
        await guest.Containers.Get(request.ContainerId).DisposeAsync();
        ContainerFactory.Remove(request.ContainerId);
        guest.Containers.Forget(request.ContainerId);
        return new Empty();
    }

    private async Task<Empty> ShutdownAsync(ShutdownRequest request, CancellationToken cancellationToken)
    {
        await guest.StopAsync(TimeSpan.FromMilliseconds(Math.Min(request.GraceMilliseconds, MaximumWait.TotalMilliseconds)));
        // The answer goes out before the machine does.
        _ = Task.Delay(50, CancellationToken.None).ContinueWith(_ => _shutdown.TrySetResult(), TaskScheduler.Default);
        return new Empty();
    }

    private void Ask(string rule, string containerId, Action<Utf8JsonWriter>? more = null) => guest.Policy.Require(rule, json =>
    {
        json.WriteString("container_id", containerId);
        if (guest.Containers.NameOf(containerId) is { } name)
            json.WriteString("container_name", name);
        more?.Invoke(json);
    });
}
