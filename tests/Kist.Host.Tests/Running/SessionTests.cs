using System.Net;
using System.Net.Sockets;
using System.Text;
using Kist.Formats;
using Kist.Pods.Agent;

namespace Kist.Host.Tests.Running;

/// <summary>What other kist processes ask a pod's supervisor for: exec, attach and connections.</summary>
public sealed class SessionTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly TemporaryState _temporary = new();
    private readonly ContainerFolder _folder;

    public SessionTests() => _folder = new ContainerStore(_temporary.State, TimeProvider.System).Create(new ContainerRecord { Id = "", Name = "one", Image = "demo", Created = default });

    public void Dispose() => _temporary.Dispose();

    private Task<int> StartAsync(FakePod pod, RunRequest? request = null) =>
        new Supervisor(_folder, request ?? new RunRequest { Image = "demo" }, pod, TimeProvider.System).RunAsync(null, new Progress<string>(), Cancel);

    private static async Task WaitForAsync(Func<bool> condition)
    {
        for (var i = 0; i < 1000 && !condition(); i++)
            await Task.Delay(10, Cancel);
        Assert.True(condition());
    }

    [Fact]
    public async Task Exec_AllowedCommand_CarriesStreamsAndExitCode()
    {
        var pod = new FakePod();
        var running = StartAsync(pod);
        await WaitForAsync(() => _folder.Reload() && _folder.Record.Status == ContainerStatus.Running);
        var console = new TextConsole("typed");
        using (var process = await ControlClient.ExecuteAsync(_folder, null, new ExecRequest { Arguments = ["sh", "-c", "x"], Environment = ["A=b"], Interactive = true }, Cancel))
        {
            pod.OnInputClosed = p => p.ExecExit.TrySetResult(7);
            Assert.Equal(7, await process.RunAsync(console, withInput: true, Cancel));
        }

        Assert.Equal("typed", Encoding.UTF8.GetString(pod.Input.ToArray()));
        Assert.Equal(["sh", "-c", "x"], pod.Executed!.Arguments);
        Assert.Equal("A", Assert.Single(pod.Executed.Environment).Name);
        Assert.Contains("Stdout of exec", console.Output, StringComparison.Ordinal);
        Assert.Contains("Stderr of exec", console.Output, StringComparison.Ordinal);
        await WaitForAsync(() => pod.Removed.Contains(new ProcessId("main", pod.Executed.ExecId)));
        pod.Exit(0);
        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task Exec_Refused_SaysWhy()
    {
        var pod = new FakePod { OnExecute = _ => throw new OperationFailedException("ask agent policy", "ExecProcessRequest", "denied", "see policy.rego") };
        var running = StartAsync(pod);
        await WaitForAsync(() => _folder.Reload() && _folder.Record.Status == ContainerStatus.Running);
        var refusal = await Assert.ThrowsAsync<ControlException>(() => ControlClient.ExecuteAsync(_folder, null, new ExecRequest { Arguments = ["sh"] }, Cancel));
        Assert.Contains("denied", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("see policy.rego", refusal.Hint);
        await Assert.ThrowsAsync<ControlException>(() => ControlClient.ExecuteAsync(_folder, "other", new ExecRequest { Arguments = ["sh"] }, Cancel));
        pod.Exit(0);
        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task Attach_SeesWhatIsWrittenFromThenOn()
    {
        var pod = new FakePod();
        var running = StartAsync(pod);
        await WaitForAsync(() => _folder.Reload() && _folder.Record.Status == ContainerStatus.Running);
        var console = new TextConsole("");
        using var process = await ControlClient.AttachAsync(_folder, "main", Cancel);
        var attached = process.RunAsync(console, withInput: false, Cancel);
        for (var i = 0; i < 1000 && console.Output.Length == 0; i++)
        {
            pod.Write(OutputSource.Stdout, "tick\n");
            await Task.Delay(10, Cancel);
        }

        pod.Exit(3);
        Assert.Equal(3, await attached);
        Assert.Equal(3, await running);
        Assert.StartsWith("tick\n", console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Published_Port_CarriesConnectionsIntoThePod()
    {
        var pod = new FakePod { OnConnect = port => new EchoConnection(port) };
        var running = StartAsync(pod, new RunRequest { Image = "demo", Published = [PublishedPort.Parse("0:8080")] });
        await WaitForAsync(() => _folder.Reload() && _folder.Record.Ports.Count == 1);
        Assert.Equal(8080, _folder.Record.Ports[0].Pod);
        Assert.Equal("8080:hello", await AskAsync(IPEndPoint.Parse(_folder.Record.Ports[0].Host)));
        using (var direct = await ControlClient.ConnectAsync(_folder, 9090, Cancel))
            Assert.Equal("9090:hello", await AskAsync(direct));
        pod.Exit(0);
        Assert.Equal(0, await running);
        Assert.True(_folder.Reload());
        Assert.Empty(_folder.Record.Ports);
    }

    [Theory]
    [InlineData("80", "127.0.0.1", 0, 80)]
    [InlineData("8080:80", "127.0.0.1", 8080, 80)]
    [InlineData("0.0.0.0:8080:80", "0.0.0.0", 8080, 80)]
    [InlineData("[::1]:8080:80", "::1", 8080, 80)]
    [InlineData("127.0.0.1::80", "127.0.0.1", 0, 80)]
    public void PublishedPort_Parse_AsDocker(string text, string address, int host, int pod) => Assert.Equal(new PublishedPort(address, host, pod), PublishedPort.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("70000")]
    [InlineData("x:80")]
    [InlineData("nowhere:80:80")]
    public void PublishedPort_Malformed_Fails(string text) => Assert.Throws<OperationFailedException>(() => PublishedPort.Parse(text));

    [Theory]
    [InlineData("no", 1, 0, false)]
    [InlineData("always", 0, 100, true)]
    [InlineData("on-failure", 0, 0, false)]
    [InlineData("on-failure", 1, 9, true)]
    [InlineData("on-failure:2", 1, 1, true)]
    [InlineData("on-failure:2", 1, 2, false)]
    public void RestartRule_AsDocker(string text, int exitCode, int restarts, bool expected) => Assert.Equal(expected, RestartRule.Parse(text).Applies(exitCode, restarts));

    [Fact]
    public async Task Run_OnFailure_IsStartedAgainAsOftenAsAllowed()
    {
        var pod = new FakePod { Containers = [new PodContainer("main", new RestartRule(RestartCondition.OnFailure, 1), false, false)] };
        pod.Exit(5);
        Assert.Equal(5, await StartAsync(pod));
        Assert.Equal(1, pod.Restarts);
        Assert.Equal(1, _folder.Record.Restarts);
    }

    private static async Task<string> AskAsync(IPEndPoint address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, Cancel);
        return await AskAsync(socket);
    }

    private static async Task<string> AskAsync(Socket socket)
    {
        await socket.SendAsync("hello"u8.ToArray(), Cancel);
        socket.Shutdown(SocketShutdown.Send);
        var answer = new MemoryStream();
        var buffer = new byte[64];
        for (int count; (count = await socket.ReceiveAsync(buffer, Cancel)) > 0;)
            answer.Write(buffer, 0, count);
        return Encoding.UTF8.GetString(answer.ToArray());
    }

    private sealed class EchoConnection(int port) : IPodConnection
    {
        public async Task CarryAsync(Stream peer, Action endWriting, CancellationToken cancellationToken)
        {
            using var reader = new StreamReader(peer, Encoding.UTF8, leaveOpen: true);
            var text = await reader.ReadToEndAsync(cancellationToken);
            await peer.WriteAsync(Encoding.UTF8.GetBytes($"{port}:{text}"), cancellationToken);
            endWriting();
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class TextConsole(string input) : IContainerConsole
    {
        private readonly MemoryStream _input = new(Encoding.UTF8.GetBytes(input));
        private readonly StringBuilder _output = new();

        public string Output
        {
            get
            {
                lock (_output)
                    return _output.ToString();
            }
        }

        public ValueTask WriteAsync(OutputSource source, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            lock (_output)
                _output.Append(Encoding.UTF8.GetString(data.Span));
            return ValueTask.CompletedTask;
        }

        public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _input.ReadAsync(buffer, cancellationToken);
    }
}
