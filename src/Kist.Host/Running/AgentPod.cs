using Kist.Formats;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>The one container of a started pod, through its agent.</summary>
internal sealed class AgentPod(RunningPod pod, ImageDisks disks, string containerId, IReadOnlyList<StepTiming> timings, string platform, string? learnFile) : IPod
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(1);

    public string Platform => platform;

    public IReadOnlyList<StepTiming> Timings => timings;

    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(OutputSource source, CancellationToken cancellationToken) =>
        OutputPump.ReadAsync(pod.Agent, containerId, source == OutputSource.Stdout ? OutputStream.Stdout : OutputStream.Stderr, cancellationToken);

    public async Task<bool> WriteStdinAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        !(await pod.Agent.WriteStdinAsync(containerId, data, cancellationToken).ConfigureAwait(false)).Closed;

    public Task CloseStdinAsync(CancellationToken cancellationToken) => pod.Agent.CloseStdinAsync(containerId, cancellationToken);

    public Task SignalAsync(int signal, CancellationToken cancellationToken) =>
        pod.Agent.SignalProcessAsync(containerId, signal, cancellationToken: cancellationToken);

    public Task ResizeAsync(int rows, int columns, CancellationToken cancellationToken) =>
        pod.Agent.ResizeTtyAsync(containerId, rows, columns, cancellationToken);

    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        var exit = await pod.Agent.WaitProcessAsync(containerId, cancellationToken).ConfigureAwait(false);
        if (learnFile is not null)
            await File.WriteAllTextAsync(learnFile, await pod.Agent.GetLearnedAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return exit.ExitCode;
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
    }
}
