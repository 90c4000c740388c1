using System.Threading.Channels;
using Kist.Formats;

namespace Kist.Host;

/// <summary>
/// Runs one container from start to end: starts its pod, passes its streams on, keeps its output, answers other kist
/// processes, and leaves nothing behind. The pod ends with the process that supervises it.
/// </summary>
/// <param name="folder">The container's folder.</param>
/// <param name="request">What to run.</param>
/// <param name="starter">How pods are started.</param>
/// <param name="time">The clock.</param>
public sealed class Supervisor(ContainerFolder folder, RunRequest request, IPodStarter starter, TimeProvider time)
{
    /// <summary>What a container's log may take on the host's disk.</summary>
    private const long MaxLogBytes = 256L << 20;

    /// <summary>How long output may still come after the program's end.</summary>
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(10);

    private readonly Channel<int> _signals = Channel.CreateBounded<int>(64);
    private readonly Channel<(int Rows, int Columns)> _sizes =
        Channel.CreateBounded<(int, int)>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    private volatile bool _startEndedBySignal;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Asks for a signal to be sent to the container's first process, as soon as there is one.</summary>
    public void Signal(int signal) => _signals.Writer.TryWrite(signal);

    /// <summary>Tells the program's terminal its size, now or as soon as the program runs. The last word counts.</summary>
    public void Resize(int rows, int columns) => _sizes.Writer.TryWrite((rows, columns));

    /// <summary>Runs the container and returns its exit code. The record says the same when this returns or throws.</summary>
    /// <param name="console">The foreground, or null for a detached container.</param>
    /// <param name="progress">Hears of each step.</param>
    /// <param name="cancellationToken">Ends the container at once.</param>
    public async Task<int> RunAsync(IContainerConsole? console, IProgress<string> progress, CancellationToken cancellationToken)
    {
        using var supervising = folder.Supervise();
        try
        {
            return await RunControlledAsync(console, progress, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (folder.Record.AutoRemove)
                folder.Delete();
        }
    }

    private async Task<int> RunControlledAsync(
        IContainerConsole? console, IProgress<string> progress, CancellationToken cancellationToken)
    {
        var control = new ControlServer(folder.ControlSocket, HandleAsync);
        await using (control.ConfigureAwait(false))
        {
            try
            {
                var exitCode = await RunPodAsync(console, progress, cancellationToken).ConfigureAwait(false);
                folder.Save(folder.Record with { Status = ContainerStatus.Exited, ExitCode = exitCode, Finished = time.GetUtcNow() });
                return exitCode;
            }
            catch (Exception e)
            {
                Fail(e);
                throw;
            }
            finally
            {
                _ended.TrySetResult();
            }
        }
    }

    private async Task<int> RunPodAsync(IContainerConsole? console, IProgress<string> progress, CancellationToken cancellationToken)
    {
        var pod = await StartPodAsync(progress, cancellationToken).ConfigureAwait(false);
        await using (pod.ConfigureAwait(false))
        {
            folder.Save(folder.Record with { Status = ContainerStatus.Running, Platform = pod.Platform, Timings = pod.Timings });
            return await AttendAsync(pod, console, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<IPod> StartPodAsync(IProgress<string> progress, CancellationToken cancellationToken)
    {
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        starting.CancelAfter(request.StartTimeout);
        using var started = new CancellationTokenSource();
        var watching = EndStartOnSignalAsync(starting, started.Token);
        try
        {
            return await starter.StartAsync(request, folder, progress, starting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && !_startEndedBySignal)
        {
            throw new OperationFailedException(
                "start container", request.Image, $"it was not running after {request.StartTimeout.TotalSeconds:0} seconds",
                "see what it waits for: kist run --verbose, or allow more with --start-timeout", isTransient: true);
        }
        finally
        {
            await started.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }
    }

    /// <summary>Before the program runs there is nothing to signal: an ending signal ends the start.</summary>
    private async Task EndStartOnSignalAsync(CancellationTokenSource starting, CancellationToken started)
    {
        try
        {
            while (true)
            {
                if (await _signals.Reader.ReadAsync(started).ConfigureAwait(false) is LinuxSignal.Interrupt or LinuxSignal.Terminate or LinuxSignal.Kill)
                {
                    _startEndedBySignal = true;
                    await starting.CancelAsync().ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the start is over
        }
    }

    private async Task<int> AttendAsync(IPod pod, IContainerConsole? console, CancellationToken cancellationToken)
    {
        using var log = new OutputLogWriter(folder.OutputLog, MaxLogBytes);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var signals = ForwardSignalsAsync(pod, stop.Token);
        var sizes = request.Terminal ? ForwardSizesAsync(pod, stop.Token) : Task.CompletedTask;
        var input = console is not null && request.Interactive ? ForwardInputAsync(pod, console, stop.Token) : Task.CompletedTask;
        Task[] output = [ForwardOutputAsync(OutputSource.Stdout), ForwardOutputAsync(OutputSource.Stderr)];
        try
        {
            var exitCode = await pod.WaitAsync(cancellationToken).ConfigureAwait(false);
            await Task.WhenAll(output).WaitAsync(DrainTimeout, time, cancellationToken).ConfigureAwait(false);
            return exitCode;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Quietly([signals, sizes, input, .. output]).ConfigureAwait(false);
        }

        async Task ForwardOutputAsync(OutputSource source)
        {
            await foreach (var data in pod.ReadAsync(source, stop.Token).ConfigureAwait(false))
            {
                log.Append(new OutputChunk(time.GetUtcNow(), source, data));
                if (console is not null)
                    await console.WriteAsync(source, data, stop.Token).ConfigureAwait(false);
            }
        }
    }

    private async Task ForwardSignalsAsync(IPod pod, CancellationToken cancellationToken)
    {
        await foreach (var signal in _signals.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            await pod.SignalAsync(signal, cancellationToken).ConfigureAwait(false);
    }

    private async Task ForwardSizesAsync(IPod pod, CancellationToken cancellationToken)
    {
        await foreach (var (rows, columns) in _sizes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            await pod.ResizeAsync(rows, columns, cancellationToken).ConfigureAwait(false);
    }

    private static async Task ForwardInputAsync(IPod pod, IContainerConsole console, CancellationToken cancellationToken)
    {
        var buffer = new byte[32 * 1024];
        int count;
        while ((count = await console.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (!await pod.WriteStdinAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false))
                return;
        }

        await pod.CloseStdinAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<ControlResponse> HandleAsync(ControlRequest control, CancellationToken cancellationToken)
    {
        switch (control.Operation)
        {
            case "signal" when control.Signal is >= 1 and <= 64:
                Signal(control.Signal);
                return new ControlResponse();
            case "wait":
                await _ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
                return new ControlResponse(ExitCode: folder.Record.ExitCode);
            default:
                return new ControlResponse($"unknown request {control.Operation}");
        }
    }

    private void Fail(Exception e)
    {
        var error = e is OperationCanceledException ? "interrupted" : e.Message;
        folder.Save(folder.Record with { Status = ContainerStatus.Failed, Error = error, Finished = time.GetUtcNow() });
    }

    private static async Task Quietly(params Task[] tasks)
    {
        foreach (var task in tasks)
        {
            await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
