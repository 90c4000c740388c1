using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kist.Linux.Network;
using Kist.Linux.Polling;
using Kist.Linux.Processes;
using Kist.Linux.Terminals;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Containers;

/// <summary>A container with its bundle, its program and its streams. crun makes it; this object owns it.</summary>
/// <param name="plan">What runs.</param>
/// <param name="bundle">The folder with config.json and the root file system.</param>
/// <param name="input">True if the host may write standard input.</param>
/// <param name="reaper">Who starts and reaps processes.</param>
sealed class Container(ContainerPlan plan, string bundle, bool input, ChildReaper reaper) : IAsyncDisposable
{
    private readonly OutputBuffer _stdout = new(), _stderr = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private PolledStream? _stdin;
    private PolledStream? _terminal;
    private int _pid;
    private Task<WaitProcessResponse>? _exit;

    public string Id => plan.Id;

    /// <summary>Its name in the policy.</summary>
    public string Name => plan.Name;

    /// <summary>True once its program has ended with exit code 0.</summary>
    public bool IsCompleted => _exit is { IsCompletedSuccessfully: true, Result.ExitCode: 0 };

    /// <summary>True once the policy has let the host write standard input.</summary>
    public bool IsInputReleased { get; set; }

    /// <summary>Null before the program runs.</summary>
    public Task<WaitProcessResponse>? Exit => _exit;

    public OutputBuffer Output(OutputStream stream) => stream == OutputStream.Stdout ? _stdout : _stderr;

    /// <summary>Runs the program and returns its number in the guest.</summary>
    public async Task<int> StartAsync(CancellationToken cancellationToken)
    {
        if (_exit is not null)
            throw Invalid("start container", "it has been started");
        if (plan.Terminal)
            await StartWithTerminalAsync(cancellationToken);
        else
            await StartWithPipesAsync(cancellationToken);
        return _pid;
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

    public void Signal(int signal, bool all)
    {
        if (_exit is null)
            throw Invalid("signal container", "it has not been started");
        if (_exit.IsCompleted)
            return;
        if (!all)
            Signals.Send(_pid, signal);
        else if (signal == Signals.Kill)
            File.WriteAllText(Cgroup("cgroup.kill"), "1");
        else
            SignalAll(signal);
    }

    public void Resize(int rows, int columns)
    {
        if (_terminal is not { } terminal)
            throw Invalid("resize terminal", "it has no terminal");
        if (rows is < 1 or > ushort.MaxValue || columns is < 1 or > ushort.MaxValue)
            throw Invalid("resize terminal", "rows and columns lie between 1 and 65535");
        new TerminalSize(rows, columns).Set(terminal.Handle);
    }

    public ContainerStats Stats() => new()
    {
        MemoryBytes = ReadNumber("memory.current"),
        MemoryLimitBytes = plan.MemoryBytes,
        CpuMicroseconds = ReadKey("cpu.stat", "usage_usec"),
        Pids = ReadNumber("pids.current"),
        OutOfMemoryKills = ReadKey("memory.events", "oom_kill"),
    };

    /// <summary>Ends the program if it runs, and takes away what crun made.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_exit is { IsCompleted: false })
        {
            Signal(Signals.Kill, all: true);
            await _exit;
        }

        if (_exit is not null)
            await reaper.WaitAsync(reaper.Start(Crun.Delete(Id)));
        if (_stdin is not null)
            await _stdin.DisposeAsync();
        if (_terminal is not null)
            await _terminal.DisposeAsync();
        _writing.Dispose();
    }

    private async Task StartWithPipesAsync(CancellationToken cancellationToken)
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
            await RunAsync(Crun.Run(Id, bundle, null, files), [output, error], cancellationToken);
        Pump(output, _stdout);
        Pump(error, _stderr);
    }

    private async Task StartWithTerminalAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(bundle, "console.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        await RunAsync(Crun.Run(Id, bundle, path, []), [], cancellationToken);
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
            throw Crun.Failure(Id, bundle, ended.ExitCode);
        }

        _pid = Crun.ReadPid(bundle);
        _exit = WaitAsync();
    }

    /// <summary>crun has ended, so its child is ours to reap.</summary>
    private async Task<WaitProcessResponse> WaitAsync()
    {
        var exit = await reaper.WaitAsync(_pid);
        return new WaitProcessResponse
        {
            ExitCode = exit.ExitCode,
            Signal = exit.Signal,
            OutOfMemory = exit.Signal == Signals.Kill && ReadKey("memory.events", "oom_kill") > 0,
        };
    }

    private static void Pump(PolledStream? source, OutputBuffer buffer) => _ = PumpAsync(source, buffer);

    private static async Task PumpAsync(PolledStream? source, OutputBuffer buffer)
    {
        await buffer.FillAsync(source ?? Stream.Null);
        if (source is not null)
            await source.DisposeAsync();
    }

    /// <summary>The numbers may change while they are read: a signal can miss a process that is just being made.</summary>
    private void SignalAll(int signal)
    {
        foreach (var line in File.ReadAllLines(Cgroup("cgroup.procs")))
        {
            if (int.TryParse(line, out var pid) && pid > 0)
                Signals.Send(pid, signal);
        }
    }

    private string Cgroup(string file) => $"/sys/fs/cgroup/kist/{Id}/{file}";

    private ulong ReadNumber(string file)
    {
        try
        {
            return ulong.TryParse(File.ReadAllText(Cgroup(file)), out var value) ? value : 0;
        }
        catch (IOException)
        {
            return 0; // the cgroup is gone with its last process
        }
    }

    private ulong ReadKey(string file, string key)
    {
        try
        {
            var line = File.ReadAllLines(Cgroup(file)).FirstOrDefault(l => l.StartsWith($"{key} ", StringComparison.Ordinal));
            return line is not null && ulong.TryParse(line.AsSpan(key.Length + 1), out var value) ? value : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private AgentException Invalid(string step, string reason) => new(FailureCode.InvalidRequest, step, Id, reason);
}
