using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Pods.Agent;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>Carries the streams of a process between its pod and another kist process (kist exec, kist attach).</summary>
static class ProcessSession
{
    private static readonly TimeSpan LastWordTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Executes a program, and gives the session that carries its streams. It ends when the caller goes away.</summary>
    /// <exception cref="OperationFailedException">The policy does not allow it, or there is no such program.</exception>
    public static async Task<ControlSession> ExecuteAsync(IPod pod, string container, ExecRequest request, CancellationToken cancellationToken)
    {
        var process = new ProcessId(container, $"exec-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        var execution = new ExecProcessRequest
        {
            ContainerId = process.ContainerId,
            ExecId = process.ExecId,
            Arguments = { request.Arguments },
            Environment = { request.Environment.Select(EnvironmentEntry.Parse) },
            WorkingDirectory = request.WorkingDirectory,
            User = request.User,
            Tty = request.Terminal,
            Stdin = request.Interactive,
        };
        await pod.ExecuteAsync(execution, cancellationToken).ConfigureAwait(false);
        return (connection, token) => CarryExecutedAsync(pod, process, connection, token);
    }

    /// <summary>Carries the streams of a container's first process from now on, until it ends or the caller goes away.</summary>
    public static ControlSession Attach(IPod pod, ContainerAttendant attendant) => async (connection, cancellationToken) =>
    {
        using var sender = new Sender(connection);
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var listening = attendant.Output.Add((source, data) => sender.OutputAsync(source, data, left.Token));
        var reading = ReadAsync(pod, attendant.Container.Name, connection, left);
        await EndAsync(sender, attendant.Ended, left).ConfigureAwait(false);
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    };

    private static async Task CarryExecutedAsync(IPod pod, ProcessId process, Socket connection, CancellationToken cancellationToken)
    {
        using var sender = new Sender(connection);
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = ReadAsync(pod, process, connection, left);
        try
        {
            await EndAsync(sender, FinishAsync(), left).ConfigureAwait(false);
        }
        finally
        {
            await left.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Not the caller's token: a process whose caller has left must not stay.
            await pod.RemoveAsync(process, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task<int> FinishAsync()
        {
            Task[] output = [ForwardAsync(OutputSource.Stdout), ForwardAsync(OutputSource.Stderr)];
            var exitCode = await pod.WaitAsync(process, left.Token).ConfigureAwait(false);
            await Task.WhenAll(output).ConfigureAwait(false);
            return exitCode;
        }

        async Task ForwardAsync(OutputSource source)
        {
            await foreach (var data in pod.ReadAsync(process, source, left.Token).ConfigureAwait(false))
                await sender.OutputAsync(source, data, left.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Says how the process has ended, unless the caller has left.</summary>
    private static async Task EndAsync(Sender sender, Task<int> ended, CancellationTokenSource left)
    {
        StreamFrame last;
        try
        {
            last = StreamFrame.OfNumbers(StreamFrameKind.Exit, await ended.WaitAsync(left.Token).ConfigureAwait(false));
        }
        catch (OperationFailedException e)
        {
            last = new StreamFrame(StreamFrameKind.Error, Encoding.UTF8.GetBytes(e.Message));
        }
        catch (OperationCanceledException)
        {
            return;
        }

        // The pod may be ending with the process: how it ended is told all the same.
        using var limit = new CancellationTokenSource(LastWordTimeout);
        await sender.WriteAsync(last, limit.Token).ConfigureAwait(false);
        await left.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>Obeys the caller until it leaves.</summary>
    private static async Task ReadAsync(IPod pod, ProcessId process, Socket connection, CancellationTokenSource left)
    {
        try
        {
            while (await StreamFrame.ReadAsync(connection, left.Token).ConfigureAwait(false) is { } frame)
            {
                if (frame.Kind == StreamFrameKind.Input)
                    await pod.WriteStdinAsync(process, frame.Data, left.Token).ConfigureAwait(false);
                else if (frame.Kind == StreamFrameKind.InputEnd)
                    await pod.CloseStdinAsync(process, left.Token).ConfigureAwait(false);
                else if (frame.Kind == StreamFrameKind.Resize)
                    await pod.ResizeAsync(process, frame.Number(0), frame.Number(1), left.Token).ConfigureAwait(false);
            }
        }
        catch (AgentCallException)
        {
            // The policy lets nobody write, or the process has ended; its output goes on.
            return;
        }
        catch (Exception e) when (e is SocketException or MalformedDataException or OperationCanceledException)
        {
            // the caller has left
        }

        await left.CancelAsync().ConfigureAwait(false);
    }

    private sealed class Sender(Socket connection) : IDisposable
    {
        private readonly SemaphoreSlim _turn = new(1, 1);

        public Task OutputAsync(OutputSource source, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
            WriteAsync(new StreamFrame(source == OutputSource.Stdout ? StreamFrameKind.Stdout : StreamFrameKind.Stderr, data), cancellationToken);

        public async Task WriteAsync(StreamFrame frame, CancellationToken cancellationToken)
        {
            await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await frame.WriteAsync(connection, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }

        public void Dispose() => _turn.Dispose();
    }
}
