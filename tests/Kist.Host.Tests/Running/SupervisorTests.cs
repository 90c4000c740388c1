using System.Text;
using Kist.Formats;

namespace Kist.Host.Tests.Running;

public sealed class SupervisorTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly TemporaryState _temporary = new();
    private readonly Progress<string> _progress = new();

    public void Dispose() => _temporary.Dispose();

    private ContainerStore Store => new(_temporary.State, TimeProvider.System);

    private ContainerFolder NewFolder(bool autoRemove = false) => Store.Create(new ContainerRecord
    {
        Id = "",
        Name = "one",
        Image = "demo",
        Created = default,
        AutoRemove = autoRemove,
    });

    private static RunRequest Request(bool interactive = false) => new() { Image = "demo", Interactive = interactive };

    private static async Task<string> LogOf(ContainerFolder folder, OutputSource source)
    {
        var text = new StringBuilder();
        await foreach (var chunk in OutputLogReader.ReadAsync(folder.OutputLog, () => false, Cancel))
        {
            if (chunk.Source == source)
                text.Append(Encoding.UTF8.GetString(chunk.Data.Span));
        }

        return text.ToString();
    }

    [Fact]
    public async Task Resize_BeforeTheProgramRuns_IsToldWhenItDoes()
    {
        var pod = new FakePod { OnResize = p => p.Exit(0) };
        var supervisor = new Supervisor(NewFolder(), Request() with { Terminal = true }, pod, TimeProvider.System);
        supervisor.Resize(24, 80);
        supervisor.Resize(43, 132);

        Assert.Equal(0, await supervisor.RunAsync(new RecordingConsole(""), _progress, Cancel));
        Assert.Equal([(43, 132)], pod.Sizes);
    }

    [Fact]
    public async Task Run_ProgramEnds_OutputIsPassedAndKept()
    {
        var folder = NewFolder();
        var pod = new FakePod();
        var console = new RecordingConsole("");
        pod.Write(OutputSource.Stdout, "out\n");
        pod.Write(OutputSource.Stderr, "err\n");
        pod.Exit(42);

        Assert.Equal(42, await new Supervisor(folder, Request(), pod, TimeProvider.System).RunAsync(console, _progress, Cancel));

        Assert.Equal("out\n", console.Stdout);
        Assert.Equal("err\n", console.Stderr);
        Assert.Equal("out\n", await LogOf(folder, OutputSource.Stdout));
        Assert.Equal("err\n", await LogOf(folder, OutputSource.Stderr));
        Assert.Equal(ContainerStatus.Exited, folder.Record.Status);
        Assert.Equal(42, folder.Record.ExitCode);
        Assert.True(pod.Disposed);
        Assert.False(folder.IsSupervised());
    }

    [Fact]
    public async Task Run_Interactive_InputIsPassedAndClosed()
    {
        var pod = new FakePod { OnInputClosed = p => p.Exit(0) };
        var supervisor = new Supervisor(NewFolder(), Request(interactive: true), pod, TimeProvider.System);
        Assert.Equal(0, await supervisor.RunAsync(new RecordingConsole("hello"), _progress, Cancel));
        Assert.Equal("hello", Encoding.UTF8.GetString(pod.Input.ToArray()));
    }

    [Fact]
    public async Task Signal_FromOtherProcess_ReachesProgram()
    {
        var folder = NewFolder();
        var pod = new FakePod { OnSignal = (p, signal) => p.Exit(128 + signal) };
        var running = new Supervisor(folder, Request(), pod, TimeProvider.System).RunAsync(null, _progress, Cancel);
        await ControlClient.SignalAsync(folder, LinuxSignal.Terminate, Cancel);
        Assert.Equal(143, await running);
        Assert.Equal([15], pod.Signals);
        Assert.False(File.Exists(folder.ControlSocket));
    }

    [Fact]
    public async Task Signal_WhileStarting_EndsTheStart()
    {
        var folder = NewFolder();
        var pod = new FakePod { OnStart = cancel => Task.Delay(Timeout.Infinite, cancel) };
        var supervisor = new Supervisor(folder, Request(), pod, TimeProvider.System);
        var running = supervisor.RunAsync(null, _progress, Cancel);
        supervisor.Signal(LinuxSignal.Interrupt);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(ContainerStatus.Failed, folder.Record.Status);
        Assert.Equal("interrupted", folder.Record.Error);
    }

    [Fact]
    public async Task Run_StartTakesTooLong_SaysSo()
    {
        var pod = new FakePod { OnStart = cancel => Task.Delay(Timeout.Infinite, cancel) };
        var request = Request() with { StartTimeout = TimeSpan.FromMilliseconds(50) };
        var error = await Assert.ThrowsAsync<OperationFailedException>(
            () => new Supervisor(NewFolder(), request, pod, TimeProvider.System).RunAsync(null, _progress, Cancel));
        Assert.Contains("--start-timeout", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_GuestDies_FailsAndPodIsDisposed()
    {
        var folder = NewFolder();
        var pod = new FakePod();
        pod.Die(new OperationFailedException("guest", "one", "the virtual machine ended"));
        await Assert.ThrowsAsync<OperationFailedException>(
            () => new Supervisor(folder, Request(), pod, TimeProvider.System).RunAsync(null, _progress, Cancel));
        Assert.Equal(ContainerStatus.Failed, folder.Record.Status);
        Assert.True(pod.Disposed);
    }

    [Fact]
    public async Task Run_AutoRemove_LeavesNothing()
    {
        var pod = new FakePod();
        pod.Exit(0);
        await new Supervisor(NewFolder(autoRemove: true), Request(), pod, TimeProvider.System).RunAsync(null, _progress, Cancel);
        Assert.Empty(Store.All());
        Assert.Empty(Directory.EnumerateDirectories(_temporary.State.Containers));
    }

    [Theory]
    [InlineData("TERM", 15)]
    [InlineData("sigkill", 9)]
    [InlineData("2", 2)]
    public void SignalParse_NameOrNumber(string text, int number) => Assert.Equal(number, LinuxSignal.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("NOPE")]
    [InlineData("0")]
    [InlineData("65")]
    public void SignalParse_Unknown_Fails(string text) => Assert.Throws<OperationFailedException>(() => LinuxSignal.Parse(text));

    private sealed class RecordingConsole(string input) : IContainerConsole
    {
        private readonly MemoryStream _input = new(Encoding.UTF8.GetBytes(input));
        private readonly StringBuilder _stdout = new();
        private readonly StringBuilder _stderr = new();

        public string Stdout => _stdout.ToString();

        public string Stderr => _stderr.ToString();

        public ValueTask WriteAsync(OutputSource source, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            (source == OutputSource.Stdout ? _stdout : _stderr).Append(Encoding.UTF8.GetString(data.Span));
            return ValueTask.CompletedTask;
        }

        public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
            _input.ReadAsync(buffer, cancellationToken);
    }
}
