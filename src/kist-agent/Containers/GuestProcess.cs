using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kist.Linux.Network;
using Kist.Linux.Polling;
using Kist.Linux.Processes;
using Kist.Linux.Terminals;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Containers;

/// <summary>A process of a container, its first or an executed one, with its streams. crun makes it; this object owns it.</summary>
/// <param name="subject">The container or the process, for errors.</param>
/// <param name="folder">Where crun writes about it.</param>
/// <param name="terminal">True if it gets a terminal.</param>
/// <param name="input">True if the host may write standard input.</param>
/// <param name="reaper">Who starts and reaps processes.</param>
sealed class GuestProcess(string subject, string folder, bool terminal, bool input, ChildReaper reaper) : IAsyncDisposable
{
    private readonly OutputBuffer _stdout = new(), _stderr = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private PolledStream? _stdin;
    private PolledStream? _terminal;

    /// <summary>Its number in the guest; 0 before it runs.</summary>
    public int Pid { get; private set; }

    /// <summary>How it ends; null before it runs.</summary>
    public Task<ChildExit>? Exit { get; private set; }

    /// <summary>The terminal's size before it runs; null if nobody has said it.</summary>
    public TerminalSize? InitialSize { get; private set; }

    /// <summary>True once the policy has let the host write standard input.</summary>
    public bool IsInputReleased { get; set; }

    public OutputBuffer Output(OutputStream stream) => stream == OutputStream.Stdout ? _stdout : _stderr;

    /// <summary>Runs it.</summary>
    /// <param name="crun">Gives crun's call for a console socket, or for the files that become 0, 1 and 2.</param>
    /// <param name="cancellationToken">Gives up before it runs.</param>
    public async Task StartAsync(Func<string?, Dictionary<int, SafeHandle>, ChildStart> crun, CancellationToken cancellationToken)
    {
        if (Exit is not null)
            throw Invalid("start process", "it has been started");
        if (terminal)
            await StartWithTerminalAsync(crun, cancellationToken);
        else
            await StartWithPipesAsync(crun, cancellationToken);
    }

    /// <summary>Hands bytes to the program; false if it reads no more.</summary>
    public async Task<bool> WriteInputAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if ((_stdin ?? _terminal) is not { } stream)
                return false;
            await stream.WriteAsync(data, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }

    public async Task CloseInputAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (_stdin is not null)
                await _stdin.DisposeAsync();
            else if (_terminal is not null)
                await _terminal.WriteAsync("\x04"u8.ToArray(), cancellationToken); // what Ctrl-D types
            _stdin = null;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The program is gone.
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Signals it alone, unless it has ended.</summary>
    public void Signal(int signal)
    {
        if (Exit is null)
            throw Invalid("signal process", "it has not been started");
        if (!Exit.IsCompleted)
            Signals.Send(Pid, signal);
    }

    /// <summary>Sets the terminal's size: at once, or from its first moment if the process does not run yet.</summary>
    public void Resize(TerminalSize size)
    {
        if (!terminal)
            throw Invalid("resize terminal", "it has no terminal");
        InitialSize = size;
        try
        {
            if (_terminal is { } tty)
                size.Set(tty.Handle);
        }
        catch (ObjectDisposedException)
        {
            // The process has ended, and its terminal with it.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stdin is not null)
            await _stdin.DisposeAsync();
        if (_terminal is not null)
            await _terminal.DisposeAsync();
        _writing.Dispose();
    }

    private async Task StartWithPipesAsync(Func<string?, Dictionary<int, SafeHandle>, ChildStart> crun, CancellationToken cancellationToken)
    {
        var (outputRead, outputWrite) = Pipes.Create();
        var (errorRead, errorWrite) = Pipes.Create();
        var output = new PolledStream(outputRead, "standard output");
        var error = new PolledStream(errorRead, "standard error");
        var files = new Dictionary<int, SafeHandle> { [1] = outputWrite, [2] = errorWrite };
        SafeHandle? inputRead = null;
        if (input)
        {
            var (read, write) = Pipes.Create();
            inputRead = files[0] = read;
            _stdin = new PolledStream(write, "standard input");
        }

        using (outputWrite)
        using (errorWrite)
        using (inputRead)
            await RunAsync(crun(null, files), [output, error], cancellationToken);
        Pump(output, _stdout);
        Pump(error, _stderr);
    }

    private async Task StartWithTerminalAsync(Func<string?, Dictionary<int, SafeHandle>, ChildStart> crun, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, "console.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        await RunAsync(crun(path, []), [], cancellationToken);
        using var connection = await listener.AcceptAsync(cancellationToken);
        _terminal = new PolledStream(DescriptorSocket.Receive(connection), "terminal");
        Pump(_terminal, _stdout);
        Pump(null, _stderr);
    }

    private async Task RunAsync(ChildStart run, IReadOnlyList<PolledStream> streams, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var ended = await reaper.WaitAsync(reaper.Start(run));
        if (ended.ExitCode != 0)
        {
            foreach (var stream in streams)
                await stream.DisposeAsync();
            throw Crun.Failure(subject, folder, ended.ExitCode);
        }

        // crun has ended, so its child is ours to reap.
        Pid = Crun.ReadPid(folder);
        Exit = reaper.WaitAsync(Pid);
    }

    private static void Pump(PolledStream? source, OutputBuffer buffer) => _ = PumpAsync(source, buffer);

    private static async Task PumpAsync(PolledStream? source, OutputBuffer buffer)
    {
        await buffer.FillAsync(source ?? Stream.Null);
        if (source is not null)
            await source.DisposeAsync();
    }

    private AgentException Invalid(string step, string reason) => new(FailureCode.InvalidRequest, step, subject, reason);
}
