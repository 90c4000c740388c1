using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Files;
using Kist.Linux.Polling;
using Kist.Pods.Agent;
using Kist.Pods.Protocol.Agent;
using Microsoft.Win32.SafeHandles;

namespace Kist.Shim.Streams;

/// <summary>Where a process's streams go: paths of named pipes that containerd's client has made, or file://PATH; empty for nowhere.</summary>
internal sealed record StreamPaths(string Stdin, string Stdout, string Stderr, bool Terminal);

/// <summary>
/// Carries a process's streams between the guest and the pipes. What the policy does not let out is no failure: its pipe
/// ends at once, and the log says why.
/// </summary>
internal sealed class TaskStreams(PodAgentClient agent, ProcessId process, StreamPaths paths, ShimLog log) : IAsyncDisposable
{
    private const string FileScheme = "file://";
    private static readonly TimeSpan ReaderPatience = TimeSpan.FromSeconds(10), ReaderPoll = TimeSpan.FromMilliseconds(5), Quiet = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _closeInput = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PolledStream? _stdin;
    private SafeFileHandle? _stdinPipe;
    private bool _disposed;
    private Task _output = Task.CompletedTask, _input = Task.CompletedTask;

    /// <summary>Completes when all output has been written and its pipes are closed.</summary>
    public Task Drained => _output;

    /// <summary>Opens the pipes and begins to copy, for a process that runs.</summary>
    public void Start()
    {
        _output = Task.WhenAll(CopyOutputAsync(OutputStream.Stdout, paths.Stdout), paths.Terminal ? Task.CompletedTask : CopyOutputAsync(OutputStream.Stderr, paths.Stderr));
        if (paths.Stdin.Length == 0)
            return;
        // Clients remove their pipes when they have closed them, with or without having opened this one.
        _stdinPipe = HoldInput();
        if (_stdinPipe is not null)
            _input = Task.Run(CopyInputAsync);
    }

    /// <summary>Ends standard input once what has been written to its pipe is passed on.</summary>
    public void CloseInput() => _closeInput.TrySetResult();

    /// <summary>Stops copying; what is open is closed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _ended.CancelAsync().ConfigureAwait(false);
        if (_stdinPipe is { } pipe && _stdin is null)
            NamedPipe.Release(NamedPipe.NameOf(pipe));
        if (_stdin is { } stdin)
            await stdin.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_output, _input).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stdinPipe?.Dispose();
        _ended.Dispose();
    }

    private async Task CopyOutputAsync(OutputStream stream, string path)
    {
        try
        {
            if (path.Length == 0)
            {
                await OutputPump.CopyAsync(agent, process, stream, Stream.Null, _ended.Token).ConfigureAwait(false);
                return;
            }

            var destination = await OpenOutputAsync(path).ConfigureAwait(false);
            await using (destination.ConfigureAwait(false))
            {
                // While we hold the reading end, too, a reader that goes away (containerd, restarted) breaks nothing.
                using var hold = path.StartsWith(FileScheme, StringComparison.Ordinal) ? null : NamedPipe.OpenBoth(path);
                await OutputPump.CopyAsync(agent, process, stream, destination, _ended.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationFailedException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            if (!_ended.IsCancellationRequested)
                log.Info($"{process}: {stream}: {e.Message}");
        }
    }

    /// <summary>The writing end of a pipe that somebody reads: bytes in a pipe whose last end closes are lost.</summary>
    private async Task<Stream> OpenOutputAsync(string path)
    {
        if (path.StartsWith(FileScheme, StringComparison.Ordinal))
            return new FileStream(path[FileScheme.Length..], FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        if (path.Contains("://", StringComparison.Ordinal))
            throw new OperationFailedException("open output", path, "logging programs are not supported", "use pipes or file://");
        for (var waited = TimeSpan.Zero; waited < ReaderPatience; waited += ReaderPoll)
        {
            if (NamedPipe.TryOpenForWriting(path) is { } pipe)
                return new PolledStream(pipe, path);
            await Task.Delay(ReaderPoll, _ended.Token).ConfigureAwait(false);
        }

        return new PolledStream(NamedPipe.OpenBoth(path), path);
    }

    private SafeFileHandle? HoldInput()
    {
        try
        {
            return NamedPipe.Hold(paths.Stdin);
        }
        catch (SystemCallException e)
        {
            log.Info($"{process}: standard input: {e.Message}");
            return null;
        }
    }

    private async Task CopyInputAsync()
    {
        try
        {
            var pipe = new PolledStream(await OpenInputAsync().ConfigureAwait(false), paths.Stdin);
            await using (pipe.ConfigureAwait(false))
            {
                _stdin = pipe;
                await PassOnAsync(pipe).ConfigureAwait(false);
            }

            await agent.CloseStdinAsync(process, _ended.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationFailedException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            if (!_ended.IsCancellationRequested)
                log.Info($"{process}: standard input: {e.Message}");
        }
    }

    /// <summary>Opening waits for a writer, in a thread of its own.</summary>
    private Task<SafeFileHandle> OpenInputAsync() => Task.Factory.StartNew(
        () => NamedPipe.OpenForReading(NamedPipe.NameOf(_stdinPipe!)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private async Task PassOnAsync(PolledStream pipe)
    {
        var buffer = new byte[32 << 10];
        while (true)
        {
            var reading = pipe.ReadAsync(buffer, _ended.Token).AsTask();
            if (await Task.WhenAny(reading, _closeInput.Task).ConfigureAwait(false) != reading)
            {
                // Asked to close: what lies in the pipe goes first, but nothing more is waited for.
                await Task.WhenAny(reading, Task.Delay(Quiet, _ended.Token)).ConfigureAwait(false);
                if (!reading.IsCompleted)
                    return;
            }

            var count = await reading.ConfigureAwait(false);
            if (count == 0 || (await agent.WriteStdinAsync(process, buffer.AsMemory(0, count), _ended.Token).ConfigureAwait(false)).Closed)
                return;
        }
    }
}
