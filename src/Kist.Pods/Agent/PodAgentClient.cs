using Google.Protobuf;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Pods.Protocol.Metrics;
using Kist.Ttrpc;

namespace Kist.Pods.Agent;

/// <summary>
/// The host's end of the agent protocol (agent.proto): one method a call. Failures are <see cref="AgentCallException"/>
/// with the agent's own cause; a guest that is gone is <see cref="GuestLostException"/>.
/// </summary>
public sealed class PodAgentClient : IAsyncDisposable
{
    /// <summary>How long a call may take that does not wait for a program or a network.</summary>
    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(30);

    private readonly TtrpcClient _client;

    internal PodAgentClient(Stream stream) => _client = new TtrpcClient(stream, "guest agent");

    /// <summary>Completes when the channel to the agent has ended.</summary>
    public Task Closed => _client.Closed;

    /// <summary>What guest this is.</summary>
    public Task<GuestInfo> GetGuestInfoAsync(CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.GetGuestInfo, new GetGuestInfoRequest(), GuestInfo.Parser, Prompt, cancellationToken);

    /// <summary>What a guest in learn mode has been asked, as <see cref="LearnedRequest.ReadAll"/> reads it.</summary>
    public async Task<string> GetLearnedAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(PodAgentMethods.GetLearned, new GetLearnedRequest(), LearnedRequests.Parser, Prompt, cancellationToken).ConfigureAwait(false)).Record;

    internal Task<GuestInfo> GetGuestInfoAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        CallAsync(PodAgentMethods.GetGuestInfo, new GetGuestInfoRequest(), GuestInfo.Parser, timeout, cancellationToken);

    /// <summary>Pulls the image and prepares the container. It takes as long as the image and the broker need.</summary>
    public Task<CreateContainerResponse> CreateContainerAsync(
        CreateContainerRequest request, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.CreateContainer, request, CreateContainerResponse.Parser, timeout, cancellationToken);

    /// <summary>Runs the container's program.</summary>
    public Task<StartContainerResponse> StartContainerAsync(string containerId, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.StartContainer, new StartContainerRequest { ContainerId = containerId }, StartContainerResponse.Parser, Prompt, cancellationToken);

    /// <summary>Makes the guest a pod of several containers; see agent.proto.</summary>
    public Task CreateSandboxAsync(CreateSandboxRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.CreateSandbox, request, Empty.Parser, Prompt, cancellationToken);

    /// <summary>Configures an interface of the guest.</summary>
    public Task UpdateInterfaceAsync(UpdateInterfaceRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.UpdateInterface, request, Empty.Parser, Prompt, cancellationToken);

    /// <summary>Sets the routes of the pod's network.</summary>
    public Task UpdateRoutesAsync(UpdateRoutesRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.UpdateRoutes, request, Empty.Parser, Prompt, cancellationToken);

    /// <summary>Runs another program in a running container.</summary>
    public Task<ExecProcessResponse> ExecProcessAsync(ExecProcessRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.ExecProcess, request, ExecProcessResponse.Parser, Prompt, cancellationToken);

    /// <summary>Ends an executed process if it runs, and forgets it.</summary>
    public Task RemoveProcessAsync(ProcessId process, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.RemoveProcess, new RemoveProcessRequest { ContainerId = process.ContainerId, ExecId = process.ExecId }, Empty.Parser, Prompt,
            cancellationToken);

    /// <summary>Waits until a process has ended.</summary>
    public Task<WaitProcessResponse> WaitProcessAsync(ProcessId process, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.WaitProcess, new WaitProcessRequest { ContainerId = process.ContainerId, ExecId = process.ExecId },
            WaitProcessResponse.Parser, Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>Reads output; <see cref="OutputPump"/> reads all of it.</summary>
    public Task<ReadOutputResponse> ReadOutputAsync(ReadOutputRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.ReadOutput, request, ReadOutputResponse.Parser, Prompt + TimeSpan.FromMilliseconds(request.WaitMilliseconds), cancellationToken);

    /// <summary>Hands bytes to the program; answers when it has taken them, however long that takes.</summary>
    public Task<WriteStdinResponse> WriteStdinAsync(ProcessId process, ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.WriteStdin,
            new WriteStdinRequest { ContainerId = process.ContainerId, ExecId = process.ExecId, Data = UnsafeByteOperations.UnsafeWrap(data) },
            WriteStdinResponse.Parser, Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>Ends the program's standard input.</summary>
    public Task CloseStdinAsync(ProcessId process, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.CloseStdin, new CloseStdinRequest { ContainerId = process.ContainerId, ExecId = process.ExecId }, Empty.Parser, Prompt,
            cancellationToken);

    /// <summary>Sends a signal to a process, or to all of its container.</summary>
    public Task SignalProcessAsync(ProcessId process, int signal, bool all = false, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.SignalProcess,
            new SignalProcessRequest { ContainerId = process.ContainerId, ExecId = process.ExecId, Signal = (uint)signal, All = all },
            Empty.Parser, Prompt, cancellationToken);

    /// <summary>Sets the size of a process's terminal.</summary>
    public Task ResizeTtyAsync(ProcessId process, int rows, int columns, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.ResizeTty,
            new ResizeTtyRequest { ContainerId = process.ContainerId, ExecId = process.ExecId, Rows = (uint)rows, Columns = (uint)columns },
            Empty.Parser, Prompt, cancellationToken);

    /// <summary>What the container uses.</summary>
    public Task<Metrics> StatsContainerAsync(string containerId, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.StatsContainer, new StatsContainerRequest { ContainerId = containerId }, Metrics.Parser, Prompt, cancellationToken);

    /// <summary>Stops all processes of a container where they are.</summary>
    public Task PauseContainerAsync(string containerId, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.PauseContainer, new PauseContainerRequest { ContainerId = containerId }, Empty.Parser, Prompt, cancellationToken);

    /// <summary>Lets the processes of a paused container go on.</summary>
    public Task ResumeContainerAsync(string containerId, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.ResumeContainer, new ResumeContainerRequest { ContainerId = containerId }, Empty.Parser, Prompt, cancellationToken);

    /// <summary>Changes the limits of a running container.</summary>
    public Task UpdateContainerAsync(string containerId, ResourceLimits limits, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.UpdateContainer, new UpdateContainerRequest { ContainerId = containerId, Limits = limits }, Empty.Parser, Prompt, cancellationToken);

    /// <summary>Waits for a container that loses a process to its memory limit; null if none does in that time.</summary>
    public async Task<string?> GetOutOfMemoryEventAsync(TimeSpan wait, CancellationToken cancellationToken = default)
    {
        var answer = await CallAsync(
            PodAgentMethods.GetOutOfMemoryEvent, new GetOutOfMemoryEventRequest { WaitMilliseconds = (uint)wait.TotalMilliseconds }, OutOfMemoryEvent.Parser,
            Prompt + wait, cancellationToken).ConfigureAwait(false);
        return answer.ContainerId.Length > 0 ? answer.ContainerId : null;
    }

    /// <summary>Ends the container if it runs, and forgets it.</summary>
    public Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.RemoveContainer, new RemoveContainerRequest { ContainerId = containerId }, Empty.Parser, Prompt, cancellationToken);

    /// <summary>Connects to a port on which a program of the pod listens; see <see cref="PodConnection"/>.</summary>
    public async Task<string> OpenConnectionAsync(int port, CancellationToken cancellationToken = default) =>
        (await CallAsync(PodAgentMethods.OpenConnection, new OpenConnectionRequest { Port = (uint)port }, OpenConnectionResponse.Parser, Prompt, cancellationToken)
            .ConfigureAwait(false)).ConnectionId;

    /// <summary>Reads from a connection; an empty answer that is no end means that nothing came in that time.</summary>
    public Task<ReadConnectionResponse> ReadConnectionAsync(string connectionId, TimeSpan wait, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.ReadConnection, new ReadConnectionRequest { ConnectionId = connectionId, WaitMilliseconds = (uint)wait.TotalMilliseconds },
            ReadConnectionResponse.Parser, Prompt + wait, cancellationToken);

    /// <summary>Writes to a connection, however long the program takes to read.</summary>
    public Task WriteConnectionAsync(string connectionId, ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.WriteConnection, new WriteConnectionRequest { ConnectionId = connectionId, Data = UnsafeByteOperations.UnsafeWrap(data) },
            Empty.Parser, Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>Ends a connection, or what is written to it.</summary>
    public Task CloseConnectionAsync(string connectionId, bool writeOnly, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.CloseConnection, new CloseConnectionRequest { ConnectionId = connectionId, WriteOnly = writeOnly }, Empty.Parser, Prompt,
            cancellationToken);

    /// <summary>What the agent has done and does, with times.</summary>
    public Task<Progress> GetProgressAsync(CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.GetProgress, new GetProgressRequest(), Progress.Parser, Prompt, cancellationToken);

    /// <summary>What the key broker last said of the guest.</summary>
    public Task<AttestationStatus> GetAttestationAsync(CancellationToken cancellationToken = default) =>
        CallAsync(PodAgentMethods.GetAttestation, new GetAttestationRequest(), AttestationStatus.Parser, Prompt, cancellationToken);

    /// <summary>Ends containers and powers the guest off.</summary>
    public Task ShutdownAsync(TimeSpan grace, CancellationToken cancellationToken = default) =>
        CallAsync(
            PodAgentMethods.Shutdown, new ShutdownRequest { GraceMilliseconds = (uint)grace.TotalMilliseconds }, Empty.Parser,
            grace + Prompt, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, TimeSpan timeout, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        try
        {
            return await _client.CallAsync(PodAgentMethods.Service, method, request, parser, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TtrpcException e) when (e.Code == TtrpcStatusCode.Unavailable)
        {
            throw new GuestLostException(method, e);
        }
        catch (TtrpcException e)
        {
            throw AgentCallException.From(method, e);
        }
    }
}
