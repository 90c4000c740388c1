using Kist.Formats;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>A started pod, through its agent.</summary>
internal sealed class AgentPod(RunningPod pod, ImageDisks disks, VolumeLocks locks, WorkloadPlan plan, RunRequest request, IReadOnlyList<StepTiming> timings) : IPod
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(1);

    private readonly SortedSet<string> _corrupted = new(StringComparer.Ordinal);

    public string Platform { get; } = pod.Info.Simulated ? $"simulated {pod.Info.Tee}" : pod.Info.Tee;

    public IReadOnlyList<StepTiming> Timings => timings;

    public IReadOnlyList<string> Findings
    {
        get
        {
            lock (_corrupted)
                return [.. disks.Describe(_corrupted)];
        }
    }

    public IReadOnlyList<PodContainer> Containers { get; } =
        [.. plan.Containers.Where(c => !c.IsInit).Select(c => new PodContainer(c.Pinned.Name, c.Restart, c.Create.Tty, c.Create.Stdin, c.IsSidecar))];

    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(ProcessId process, OutputSource source, CancellationToken cancellationToken) =>
        OutputPump.ReadAsync(pod.Agent, process, source == OutputSource.Stdout ? OutputStream.Stdout : OutputStream.Stderr, cancellationToken);

    public async Task<bool> WriteStdinAsync(ProcessId process, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        !(await pod.Agent.WriteStdinAsync(process, data, cancellationToken).ConfigureAwait(false)).Closed;

    public Task CloseStdinAsync(ProcessId process, CancellationToken cancellationToken) => pod.Agent.CloseStdinAsync(process, cancellationToken);

    public Task SignalAsync(ProcessId process, int signal, CancellationToken cancellationToken) =>
        pod.Agent.SignalProcessAsync(process, signal, cancellationToken: cancellationToken);

    public Task ResizeAsync(ProcessId process, int rows, int columns, CancellationToken cancellationToken) =>
        pod.Agent.ResizeTtyAsync(process, rows, columns, cancellationToken);

    public async Task<int> WaitAsync(ProcessId process, CancellationToken cancellationToken)
    {
        var exit = await pod.Agent.WaitProcessAsync(process, cancellationToken).ConfigureAwait(false);
        lock (_corrupted)
            _corrupted.UnionWith(exit.CorruptedBlobs);
        return exit.ExitCode;
    }

    public Task ExecuteAsync(ExecProcessRequest execution, CancellationToken cancellationToken) => pod.Agent.ExecProcessAsync(execution, cancellationToken);

    public Task RemoveAsync(ProcessId process, CancellationToken cancellationToken) => pod.Agent.RemoveProcessAsync(process, cancellationToken);

    public async Task RestartAsync(string container, CancellationToken cancellationToken)
    {
        var planned = plan.Containers.Single(c => c.Pinned.Name == container);
        await pod.Agent.RemoveContainerAsync(container, cancellationToken).ConfigureAwait(false);
        await pod.Agent.CreateContainerAsync(planned.Create, request.StartTimeout, cancellationToken).ConfigureAwait(false);
        await pod.Agent.StartContainerAsync(container, cancellationToken).ConfigureAwait(false);
    }

    public async Task<IPodConnection> ConnectAsync(int port, CancellationToken cancellationToken) =>
        new Connection(await PodConnection.OpenAsync(pod.Agent, port, cancellationToken).ConfigureAwait(false));

    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (request.LearnFile is { } file)
            await File.WriteAllTextAsync(file, await pod.Agent.GetLearnedAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await pod.StopAsync(StopGrace).ConfigureAwait(false);
        }
        catch (OperationFailedException)
        {
            // it is ended below
        }

        await pod.DisposeAsync().ConfigureAwait(false);
        await disks.DisposeAsync().ConfigureAwait(false);
        locks.Dispose();
    }

    private sealed class Connection(PodConnection connection) : IPodConnection
    {
        public Task CarryAsync(Stream peer, Action endWriting, CancellationToken cancellationToken) => connection.CarryAsync(peer, endWriting, cancellationToken);

        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }
}
