using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kist.Formats;
using Kist.Shim.Bundles;
using Kist.Shim.Events;
using Kist.Shim.Tasks;
using Kist.Ttrpc;

namespace Kist.Shim;

/// <summary>A running shim: serves containerd, which may leave and come back, until the pod is gone.</summary>
internal sealed class ShimServer(ShimArguments arguments, TimeProvider time)
{
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(10), IdlePoll = TimeSpan.FromMilliseconds(500);

    private readonly ShimLog _log = new(Directory.GetCurrentDirectory(), arguments.Id, time);

    public async Task RunAsync(Socket listening)
    {
        var events = new EventPublisher(Environment.GetEnvironmentVariable("TTRPC_ADDRESS") is { Length: > 0 } address ? address : null, arguments, time, _log);
        await using (events.ConfigureAwait(false))
        {
            var pod = new ShimPod(arguments, events, _log, time);
            await using (pod.ConfigureAwait(false))
            {
                var service = new TaskService(pod);
                using var stop = new CancellationTokenSource();
                using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
                {
                    context.Cancel = true;
                    stop.Cancel();
                });
                var serving = ServeAsync(listening, new TtrpcServer([.. service.Services]) { OnDefect = Report }, stop.Token);
                await Task.WhenAny(serving, service.ShutdownRequested, WhenIdleAsync(pod, stop.Token)).ConfigureAwait(false);
                // The answer to Shutdown goes out first.
                await Task.Delay(TimeSpan.FromMilliseconds(20), time).ConfigureAwait(false);
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }

        listening.Dispose();
        ShimSocket.Of(arguments.Address, arguments.Namespace, arguments.Id).Remove();
    }

    /// <summary>
    /// Completes when there has been no task for some seconds. containerd ends its shims itself, unless it was killed at the
    /// wrong moment: then it does not know of them any more.
    /// </summary>
    private async Task WhenIdleAsync(ShimPod pod, CancellationToken cancellationToken)
    {
        for (var idle = TimeSpan.Zero; idle < IdleLimit; idle = pod.IsEmpty ? idle + IdlePoll : TimeSpan.Zero)
            await Task.Delay(IdlePoll, time, cancellationToken).ConfigureAwait(false);
    }

    private async Task ServeAsync(Socket listening, TtrpcServer server, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var connection = await listening.AcceptAsync(cancellationToken).ConfigureAwait(false);
                _ = ServeAsync(server, connection, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The shim ends.
        }
    }

    private async Task ServeAsync(TtrpcServer server, Socket connection, CancellationToken cancellationToken)
    {
        try
        {
            await server.ServeAsync(new NetworkStream(connection, ownsSocket: true), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MalformedDataException or OperationCanceledException)
        {
            if (e is MalformedDataException)
                _log.Error(e.Message);
        }
    }

    private void Report(string method, Exception e) => _log.Error($"{method}: {e}");
}
