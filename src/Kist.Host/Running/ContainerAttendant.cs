using Kist.Formats;

namespace Kist.Host;

/// <summary>Looks after one container of a pod: follows its output, waits for its end, starts it again where that was asked for.</summary>
/// <param name="pod">The pod.</param>
/// <param name="container">The container.</param>
/// <param name="log">Keeps its output.</param>
/// <param name="time">The clock.</param>
sealed class ContainerAttendant(IPod pod, PodContainer container, OutputLogWriter log, TimeProvider time)
{
    /// <summary>How long output may still come after the program's end.</summary>
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    public PodContainer Container => container;

    /// <summary>Who follows its output.</summary>
    public OutputHub Output { get; } = new();

    /// <summary>Its exit code, once it has ended for good.</summary>
    public Task<int> Ended => _ended.Task;

    /// <summary>Hears of each time it is started again.</summary>
    public Action? Restarted { get; init; }

    /// <summary>Sends a signal to its program. One that ends programs is its owner's word that it is to end for good.</summary>
    public async Task SignalAsync(int signal, CancellationToken cancellationToken)
    {
        if (signal is LinuxSignal.Terminate or LinuxSignal.Kill or LinuxSignal.Interrupt or LinuxSignal.Quit)
            _stopping = true;
        if (_ended.Task.IsCompleted)
            return;
        await pod.SignalAsync(container.Name, signal, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs until the container has ended for good, and returns its exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (var restarts = 0; ; restarts++)
            {
                var exitCode = await RunOnceAsync(cancellationToken).ConfigureAwait(false);
                if (!_stopping && container.Restart.Applies(exitCode, restarts))
                    await Task.Delay(RestartRule.Delay(restarts), time, cancellationToken).ConfigureAwait(false);
                if (_stopping || !container.Restart.Applies(exitCode, restarts))
                {
                    _ended.TrySetResult(exitCode);
                    return exitCode;
                }

                await pod.RestartAsync(container.Name, cancellationToken).ConfigureAwait(false);
                Restarted?.Invoke();
            }
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
            _ = _ended.Task.Exception;
            throw;
        }
    }

    private async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] output = [ForwardAsync(OutputSource.Stdout), ForwardAsync(OutputSource.Stderr)];
        try
        {
            var exitCode = await pod.WaitAsync(container.Name, cancellationToken).ConfigureAwait(false);
            await Task.WhenAll(output).WaitAsync(DrainTimeout, time, cancellationToken).ConfigureAwait(false);
            return exitCode;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach (var task in output)
                await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task ForwardAsync(OutputSource source)
        {
            await foreach (var data in pod.ReadAsync(container.Name, source, stop.Token).ConfigureAwait(false))
            {
                log.Append(new OutputChunk(time.GetUtcNow(), source, data) { Container = container.Name });
                await Output.WriteAsync(source, data).ConfigureAwait(false);
            }
        }
    }
}
