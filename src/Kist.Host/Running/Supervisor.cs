using System.Threading.Channels;
using Kist.Formats;

namespace Kist.Host;

/// <summary>
/// Runs one pod from start to end: starts it, passes its streams on, keeps its output, answers other kist processes, and
/// leaves nothing behind. The pod ends with the process that supervises it.
/// </summary>
/// <param name="folder">The pod's folder.</param>
/// <param name="request">What to run.</param>
/// <param name="starter">How pods are started.</param>
/// <param name="time">The clock.</param>
public sealed class Supervisor(ContainerFolder folder, RunRequest request, IPodStarter starter, TimeProvider time)
{
    /// <summary>What a pod's log may take on the host's disk.</summary>
    private const long MaxLogBytes = 256L << 20;

    private readonly Channel<int> _signals = Channel.CreateBounded<int>(64);
    private readonly Channel<(int Rows, int Columns)> _sizes =
        Channel.CreateBounded<(int, int)>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _startEndedBySignal;
    private volatile SupervisedPod? _pod;

    /// <summary>Asks for a signal to be sent to each container's first process, as soon as there is one.</summary>
    public void Signal(int signal) => _signals.Writer.TryWrite(signal);

    /// <summary>Tells the program's terminal its size, now or as soon as the program runs. The last word counts.</summary>
    public void Resize(int rows, int columns) => _sizes.Writer.TryWrite((rows, columns));

    /// <summary>
    /// Runs the pod and returns its exit code: of several containers, the first that is not 0. The record says the same when
    /// this returns or throws.
    /// </summary>
    /// <param name="console">The foreground, or null for a detached pod.</param>
    /// <param name="progress">Hears of each step.</param>
    /// <param name="cancellationToken">Ends the pod at once.</param>
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
                folder.Save(folder.Record with { Status = ContainerStatus.Exited, ExitCode = exitCode, Finished = time.GetUtcNow(), Ports = [] });
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
        using var log = new OutputLogWriter(folder.OutputLog, MaxLogBytes);
        var pod = await StartPodAsync(log, console, progress, cancellationToken).ConfigureAwait(false);
        await using (pod.ConfigureAwait(false))
        {
            var supervised = new SupervisedPod(pod, log, time) { Restarted = () => folder.Save(folder.Record with { Restarts = folder.Record.Restarts + 1 }) };
            var ports = supervised.Listen(request.Published);
            await using (ports.ConfigureAwait(false))
            {
                // Whoever reads that it runs may ask for it at once.
                _pod = supervised;
                folder.Save(folder.Record with { Status = ContainerStatus.Running, Platform = pod.Platform, Timings = pod.Timings, Ports = ports.Open });
                var exitCode = await AttendAsync(supervised, console, cancellationToken).ConfigureAwait(false);
                foreach (var finding in pod.Findings)
                    progress.Report($"warning: {finding}");
                folder.Save(folder.Record with { Findings = pod.Findings });
                return exitCode;
            }
        }
    }

    private async Task<IPod> StartPodAsync(OutputLogWriter log, IContainerConsole? console, IProgress<string> progress, CancellationToken cancellationToken)
    {
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        starting.CancelAfter(request.StartTimeout);
        using var started = new CancellationTokenSource();
        var watching = EndStartOnSignalAsync(starting, started.Token);
        try
        {
            return await starter.StartAsync(request, folder, Keep, progress, starting.Token).ConfigureAwait(false);
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

        void Keep(OutputSource source, string container, ReadOnlyMemory<byte> data)
        {
            log.Append(new OutputChunk(time.GetUtcNow(), source, data) { Container = container });
            if (console is not null)
                console.WriteAsync(source, data, CancellationToken.None).AsTask().GetAwaiter().GetResult();
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

    private async Task<int> AttendAsync(SupervisedPod supervised, IContainerConsole? console, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (console is not null)
            supervised.Follow(async (source, data) => await console.WriteAsync(source, data, stop.Token).ConfigureAwait(false));
        Task[] forwarding =
        [
            ForwardSignalsAsync(supervised, stop.Token),
            request.Terminal ? ForwardSizesAsync(supervised, stop.Token) : Task.CompletedTask,
            console is not null && request.Interactive ? ForwardInputAsync(supervised, console, stop.Token) : Task.CompletedTask,
        ];
        try
        {
            var exitCode = await supervised.RunAsync(cancellationToken).ConfigureAwait(false);
            await supervised.Pod.FinishAsync(cancellationToken).ConfigureAwait(false);
            return exitCode;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach (var task in forwarding)
                await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ForwardSignalsAsync(SupervisedPod supervised, CancellationToken cancellationToken)
    {
        await foreach (var signal in _signals.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            await supervised.SignalAsync(signal, cancellationToken).ConfigureAwait(false);
    }

    private async Task ForwardSizesAsync(SupervisedPod supervised, CancellationToken cancellationToken)
    {
        await foreach (var (rows, columns) in _sizes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            await supervised.Pod.ResizeAsync(supervised.First, rows, columns, cancellationToken).ConfigureAwait(false);
    }

    private static async Task ForwardInputAsync(SupervisedPod supervised, IContainerConsole console, CancellationToken cancellationToken)
    {
        var buffer = new byte[32 * 1024];
        int count;
        while ((count = await console.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (!await supervised.Pod.WriteStdinAsync(supervised.First, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false))
                return;
        }

        await supervised.Pod.CloseStdinAsync(supervised.First, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(ControlResponse Response, ControlSession? Session)> HandleAsync(ControlRequest control, CancellationToken cancellationToken)
    {
        switch (control.Operation)
        {
            case "signal" when control.Signal is >= 1 and <= 64:
                Signal(control.Signal);
                return (new ControlResponse(), null);
            case "wait":
                await _ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
                return (new ControlResponse(ExitCode: folder.Record.ExitCode), null);
            case "exec" when control.Exec is { } execution:
                return (new ControlResponse(), await Running().ExecuteAsync(control.Container, execution, cancellationToken).ConfigureAwait(false));
            case "attach":
                var (container, session) = Running().Attach(control.Container);
                return (new ControlResponse { Terminal = container.Terminal, Interactive = container.Interactive }, session);
            case "connect":
                return (new ControlResponse(), await Running().ConnectAsync(control.Port, cancellationToken).ConfigureAwait(false));
            default:
                return (new ControlResponse($"unknown request {control.Operation}"), null);
        }
    }

    private SupervisedPod Running() => _pod ?? throw new OperationFailedException("find container", folder.Record.Name, "it is not running yet", isTransient: true);

    private void Fail(Exception e)
    {
        var error = e is OperationCanceledException ? "interrupted" : e.Message;
        folder.Save(folder.Record with { Status = ContainerStatus.Failed, Error = error, Finished = time.GetUtcNow(), Ports = [] });
    }
}
