using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Kist.Pods.Agent;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host.Tests.Running;

/// <summary>A pod whose program the test plays.</summary>
sealed class FakePod : IPod, IPodStarter
{
    private readonly Channel<ReadOnlyMemory<byte>> _stdout = Channel.CreateUnbounded<ReadOnlyMemory<byte>>();
    private readonly Channel<ReadOnlyMemory<byte>> _stderr = Channel.CreateUnbounded<ReadOnlyMemory<byte>>();
    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Func<CancellationToken, Task>? OnStart { get; init; }

    public List<int> Signals { get; } = [];

    public List<(int Rows, int Columns)> Sizes { get; } = [];

    public Action<FakePod>? OnResize { get; init; }

    public MemoryStream Input { get; } = new();

    public bool InputClosed { get; private set; }

    public bool Disposed { get; private set; }

    public Action<FakePod>? OnInputClosed { get; set; }

    public Action<FakePod, int>? OnSignal { get; init; }

    public string Platform => "fake";

    public IReadOnlyList<string> Findings { get; init; } = [];

    public IReadOnlyList<StepTiming> Timings => [new("boot", 1)];

    public IReadOnlyList<PodContainer> Containers { get; init; } = [new("main", RestartRule.Never, false, true)];

    public int Restarts { get; private set; }

    public Func<ExecProcessRequest, Task>? OnExecute { get; init; }

    public Func<int, IPodConnection>? OnConnect { get; init; }

    public ExecProcessRequest? Executed { get; private set; }

    public List<ProcessId> Removed { get; } = [];

    public void Write(OutputSource source, string text) =>
        (source == OutputSource.Stdout ? _stdout : _stderr).Writer.TryWrite(System.Text.Encoding.UTF8.GetBytes(text));

    public void Exit(int code)
    {
        _stdout.Writer.TryComplete();
        _stderr.Writer.TryComplete();
        _exit.TrySetResult(code);
    }

    public void Die(Exception error)
    {
        _stdout.Writer.TryComplete(error);
        _stderr.Writer.TryComplete(error);
        _exit.TrySetException(error);
    }

    public async Task<IPod> StartAsync(
        RunRequest request, ContainerFolder folder, Action<OutputSource, string, ReadOnlyMemory<byte>> output, IProgress<string> progress, CancellationToken cancellationToken)
    {
        if (OnStart is not null)
            await OnStart(cancellationToken);
        return this;
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        ProcessId process, OutputSource source, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (process.ExecId.Length > 0)
        {
            yield return System.Text.Encoding.UTF8.GetBytes($"{source} of exec");
            yield break;
        }

        await foreach (var data in (source == OutputSource.Stdout ? _stdout : _stderr).Reader.ReadAllAsync(cancellationToken))
            yield return data;
    }

    public Task<bool> WriteStdinAsync(ProcessId process, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Input.Write(data.Span);
        return Task.FromResult(true);
    }

    public Task CloseStdinAsync(ProcessId process, CancellationToken cancellationToken)
    {
        InputClosed = true;
        OnInputClosed?.Invoke(this);
        return Task.CompletedTask;
    }

    public Task SignalAsync(ProcessId process, int signal, CancellationToken cancellationToken)
    {
        Signals.Add(signal);
        OnSignal?.Invoke(this, signal);
        return Task.CompletedTask;
    }

    public Task ResizeAsync(ProcessId process, int rows, int columns, CancellationToken cancellationToken)
    {
        Sizes.Add((rows, columns));
        OnResize?.Invoke(this);
        return Task.CompletedTask;
    }

    public Task<int> WaitAsync(ProcessId process, CancellationToken cancellationToken) =>
        (process.ExecId.Length > 0 ? ExecExit : _exit).Task.WaitAsync(cancellationToken);

    public TaskCompletionSource<int> ExecExit { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task ExecuteAsync(ExecProcessRequest request, CancellationToken cancellationToken)
    {
        Executed = request;
        return OnExecute?.Invoke(request) ?? Task.CompletedTask;
    }

    public Task RemoveAsync(ProcessId process, CancellationToken cancellationToken)
    {
        Removed.Add(process);
        return Task.CompletedTask;
    }

    public Task RestartAsync(string container, CancellationToken cancellationToken)
    {
        Restarts++;
        return Task.CompletedTask;
    }

    public Task<IPodConnection> ConnectAsync(int port, CancellationToken cancellationToken) => Task.FromResult(OnConnect!(port));

    public Task FinishAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return ValueTask.CompletedTask;
    }
}
