using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using Kist.Agent.Containers;
using Kist.Agent.Policy;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Ttrpc;

namespace Kist.Agent.Service;

/// <summary>
/// Answers the host (agent.proto). Every method waits for the boot, whose failure is the answer to all of them; what
/// could let data in or out asks the policy first.
/// </summary>
sealed partial class AgentService(Guest guest, Task booting)
{
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
        Add(service, PodAgentMethods.CreateSandbox, CreateSandboxRequest.Parser, CreateSandbox);
        Add(service, PodAgentMethods.UpdateInterface, UpdateInterfaceRequest.Parser, UpdateInterface);
        Add(service, PodAgentMethods.UpdateRoutes, UpdateRoutesRequest.Parser, UpdateRoutes);
        Add(service, PodAgentMethods.CreateContainer, CreateContainerRequest.Parser, CreateAsync);
        Add(service, PodAgentMethods.StartContainer, StartContainerRequest.Parser, StartAsync);
        Add(service, PodAgentMethods.UpdateContainer, UpdateContainerRequest.Parser, Update);
        Add(service, PodAgentMethods.PauseContainer, PauseContainerRequest.Parser, PauseAsync);
        Add(service, PodAgentMethods.ResumeContainer, ResumeContainerRequest.Parser, ResumeAsync);
        Add(service, PodAgentMethods.StatsContainer, StatsContainerRequest.Parser, Stats);
        Add(service, PodAgentMethods.RemoveContainer, RemoveContainerRequest.Parser, RemoveAsync);
        Add(service, PodAgentMethods.GetOutOfMemoryEvent, GetOutOfMemoryEventRequest.Parser, OutOfMemoryAsync);
        Add(service, PodAgentMethods.ExecProcess, ExecProcessRequest.Parser, ExecuteAsync);
        Add(service, PodAgentMethods.RemoveProcess, RemoveProcessRequest.Parser, RemoveProcessAsync);
        Add(service, PodAgentMethods.WaitProcess, WaitProcessRequest.Parser, WaitAsync);
        Add(service, PodAgentMethods.SignalProcess, SignalProcessRequest.Parser, Signal);
        Add(service, PodAgentMethods.ResizeTty, ResizeTtyRequest.Parser, Resize);
        Add(service, PodAgentMethods.ReadOutput, ReadOutputRequest.Parser, ReadAsync);
        Add(service, PodAgentMethods.WriteStdin, WriteStdinRequest.Parser, WriteAsync);
        Add(service, PodAgentMethods.CloseStdin, CloseStdinRequest.Parser, CloseAsync);
        Add(service, PodAgentMethods.OpenConnection, OpenConnectionRequest.Parser, ConnectAsync);
        Add(service, PodAgentMethods.ReadConnection, ReadConnectionRequest.Parser, ReadAsync);
        Add(service, PodAgentMethods.WriteConnection, WriteConnectionRequest.Parser, WriteAsync);
        Add(service, PodAgentMethods.CloseConnection, CloseConnectionRequest.Parser, CloseConnection);
        Add(service, PodAgentMethods.GetProgress, GetProgressRequest.Parser, (_, _) => Task.FromResult(guest.Progress.Snapshot()), afterBoot: false);
        Add(service, PodAgentMethods.GetAttestation, GetAttestationRequest.Parser, (_, _) => Task.FromResult(guest.Keys.Status()));
        Add(service, PodAgentMethods.GetLearned, GetLearnedRequest.Parser, (_, _) => Task.FromResult(Learned()));
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

    private void Add<TRequest, TResponse>(TtrpcService service, string method, MessageParser<TRequest> parser, Func<TRequest, TResponse> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse> =>
        Add(service, method, parser, (request, _) => Task.FromResult(handler(request)));

    private LearnedRequests Learned() => guest.Learning is { } learning
        ? new LearnedRequests { Record = learning.Record }
        : throw new AgentException(FailureCode.PolicyDenied, "read record", "guest", "it does not learn", "kist run --learn FILE");

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

    private async Task<Empty> ShutdownAsync(ShutdownRequest request, CancellationToken cancellationToken)
    {
        await guest.StopAsync(TimeSpan.FromMilliseconds(Math.Min(request.GraceMilliseconds, MaximumWait.TotalMilliseconds)));
        // The answer goes out before the machine does.
        _ = Task.Delay(50, CancellationToken.None).ContinueWith(_ => _shutdown.TrySetResult(), TaskScheduler.Default);
        return new Empty();
    }

    private Empty CreateSandbox(CreateSandboxRequest request)
    {
        guest.Policy.Require(PolicyRules.CreateSandbox, json =>
        {
            json.WriteString("sandbox_id", request.SandboxId);
            json.WriteString("hostname", request.Hostname);
            json.WriteStartArray("dns");
            foreach (var line in request.Dns)
                json.WriteStringValue(line);
            json.WriteEndArray();
        });
        guest.CreateSandbox(request);
        return new Empty();
    }

    /// <summary>
    /// Judges a request about a container. Whoever asks goes on with the same object: an identifier could by then stand for another container.
    /// </summary>
    private void Ask(string rule, Container container, Action<Utf8JsonWriter>? more = null) => guest.Policy.Require(rule, json =>
    {
        json.WriteString("container_id", container.Id);
        json.WriteString("container_name", container.Name);
        more?.Invoke(json);
    });

    /// <summary>As <see cref="Ask"/>, where a denial only means that something is left out.</summary>
    private bool Allows(string rule, Container container, Action<Utf8JsonWriter>? more = null)
    {
        try
        {
            Ask(rule, container, more);
            return true;
        }
        catch (AgentException e) when (e.Code == FailureCode.PolicyDenied)
        {
            return false;
        }
    }
}
