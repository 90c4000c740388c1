using System.Text;
using Kist.Pods.Agent;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Pods.Tests;

/// <summary>Containers of a plain image in a real guest.</summary>
[Collection("guests")]
public class ContainerTests(SharedPod shared) : IClassFixture<SharedPod>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_DefaultCommand_RunsTheImagesOwn()
    {
        var result = await RunAsync("default", _ => { });

        Assert.Equal(("default\n", "", 0), (result.Output, result.Errors, result.Exit.ExitCode));
    }

    [Fact]
    public async Task Start_EverythingOverridden_IsAsAsked()
    {
        var result = await RunAsync("overridden", r =>
        {
            r.Arguments.Add("id -u; id -g; id -G; pwd; echo $FROM_IMAGE $EXTRA $HOME; hostname; echo oops >&2; exit 42");
            r.Environment.Add(new EnvironmentVariable { Name = "EXTRA", Value = "a b" });
            r.User = "worker";
            r.WorkingDirectory = "/tmp";
            r.Hostname = "named";
        });

        Assert.Equal("1000\n1001\n1001 1002\n/tmp\nyes a b /home/worker\nnamed\n", result.Output);
        Assert.Equal("oops\n", result.Errors);
        Assert.Equal(42, result.Exit.ExitCode);
    }

    [Fact]
    public async Task Start_Confinement_IsDockers()
    {
        var result = await RunAsync("confined", r => r.Arguments.Add(
            "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; echo x > /proc/sys/kernel/hostname; mount -t tmpfs none /tmp; cat /proc/kcore; ls /sys/firmware; ls -la /proc | head -1 >/dev/null; echo $$"));

        Assert.Contains("CapEff:\t00000000a80425fb", result.Output, StringComparison.Ordinal);
        Assert.Contains("CapBnd:\t00000000a80425fb", result.Output, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", result.Output, StringComparison.Ordinal);
        Assert.Contains("Seccomp:\t2", result.Output, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", result.Errors, StringComparison.Ordinal);
        Assert.EndsWith("\n1\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteStdin_Cat_EchoesUntilClosed()
    {
        var pod = await shared.GetAsync();
        await CreateAsync(pod, "input", r =>
        {
            r.Stdin = true;
            r.Arguments.Add("cat");
        });
        await pod.Agent.StartContainerAsync("input", Token);
        var sent = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 40_000).Select(i => $"line {i}\n")));

        using var output = new MemoryStream();
        var reading = OutputPump.CopyAsync(pod.Agent, "input", OutputStream.Stdout, output, Token);
        for (var offset = 0; offset < sent.Length; offset += 64 << 10)
            await pod.Agent.WriteStdinAsync("input", sent.AsMemory(offset, Math.Min(64 << 10, sent.Length - offset)), Token);
        await pod.Agent.CloseStdinAsync("input", Token);
        await reading;

        Assert.Equal(sent, output.ToArray());
        Assert.Equal(0, (await pod.Agent.WaitProcessAsync("input", Token)).ExitCode);
        await pod.Agent.RemoveContainerAsync("input", Token);
    }

    [Fact]
    public async Task ReadOutput_NobodyReads_ProgramWaitsAndNothingIsLost()
    {
        var pod = await shared.GetAsync();
        const int Size = 3 << 20;
        await CreateAsync(pod, "flood", r => r.Arguments.Add($"yes abcdefg | head -c {Size}; echo done >&2"));
        await pod.Agent.StartContainerAsync("flood", Token);
        var waiting = pod.Agent.WaitProcessAsync("flood", Token);
        await Task.Delay(500, Token);
        Assert.False(waiting.IsCompleted);
        var early = await pod.Agent.ReadOutputAsync(new ReadOutputRequest { ContainerId = "flood", Stream = OutputStream.Stderr, WaitMilliseconds = 1 }, Token);
        Assert.Empty(early.Data);

        using var output = new MemoryStream();
        await OutputPump.CopyAsync(pod.Agent, "flood", OutputStream.Stdout, output, Token);

        Assert.Equal(Size, output.Length);
        Assert.All(output.ToArray().Chunk(8), c => Assert.Equal("abcdefg\n"u8.ToArray(), c));
        Assert.Equal(0, (await waiting).ExitCode);
        await pod.Agent.RemoveContainerAsync("flood", Token);
    }

    [Fact]
    public async Task SignalProcess_HandledAndUnhandled_EndAsShellsSay()
    {
        var pod = await shared.GetAsync();
        await CreateAsync(pod, "trap", r => r.Arguments.Add("trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done"));
        await pod.Agent.StartContainerAsync("trap", Token);
        await pod.Agent.ReadOutputAsync(new ReadOutputRequest { ContainerId = "trap", WaitMilliseconds = 20_000 }, Token);
        await pod.Agent.SignalProcessAsync("trap", 15, cancellationToken: Token);
        Assert.Equal(5, (await pod.Agent.WaitProcessAsync("trap", Token)).ExitCode);

        await CreateAsync(pod, "killed", r => r.Arguments.Add("sleep 1000"));
        await pod.Agent.StartContainerAsync("killed", Token);
        await pod.Agent.SignalProcessAsync("killed", 9, all: true, Token);
        var exit = await pod.Agent.WaitProcessAsync("killed", Token);
        Assert.Equal((137, 9, false), (exit.ExitCode, exit.Signal, exit.OutOfMemory));
        await pod.Agent.RemoveContainerAsync("trap", Token);
        await pod.Agent.RemoveContainerAsync("killed", Token);
    }

    [Fact]
    public async Task WaitProcess_MemoryLimitExceeded_SaysOutOfMemory()
    {
        var result = await RunAsync("hungry", r =>
        {
            r.Limits = new ResourceLimits { MemoryBytes = 16 << 20 };
            r.Entrypoint.AddRange(["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"]);
            r.EntrypointOverride = true;
        });

        Assert.Equal(137, result.Exit.ExitCode);
        Assert.True(result.Exit.OutOfMemory);
    }

    [Fact]
    public async Task Start_WithTerminal_ProgramSeesOneOfThatSize()
    {
        var pod = await shared.GetAsync();
        await CreateAsync(pod, "terminal", r =>
        {
            r.Tty = true;
            r.Stdin = true;
            r.Arguments.Add("read line; stty size; echo got $line $TERM");
        });
        await pod.Agent.StartContainerAsync("terminal", Token);
        await pod.Agent.ResizeTtyAsync("terminal", 43, 132, Token);
        await pod.Agent.WriteStdinAsync("terminal", "typed\n"u8.ToArray(), Token);
        using var output = new MemoryStream();
        await OutputPump.CopyAsync(pod.Agent, "terminal", OutputStream.Stdout, output, Token);

        Assert.Equal("typed\r\n43 132\r\ngot typed xterm\r\n", Encoding.ASCII.GetString(output.ToArray()));
        await pod.Agent.RemoveContainerAsync("terminal", Token);
    }

    [Theory]
    [InlineData("missing", "/bin/nothing", FailureCode.ProgramNotFound)]
    [InlineData("unexecutable", "/bin/not-a-program", FailureCode.ProgramNotExecutable)]
    public async Task Start_ProgramCannotRun_SaysWhich(string id, string program, string code)
    {
        var pod = await shared.GetAsync();
        await CreateAsync(pod, id, r =>
        {
            r.EntrypointOverride = true;
            r.Entrypoint.Add(program);
        });

        var refused = await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.StartContainerAsync(id, Token));

        Assert.Equal(code, refused.Code);
        await pod.Agent.RemoveContainerAsync(id, Token);
    }

    [Fact]
    public async Task Create_ImageDoesNotExist_NamesIt()
    {
        var pod = await shared.GetAsync();

        var refused = await Assert.ThrowsAsync<AgentCallException>(() => CreateAsync(pod, "noimage", r => r.Image = shared.Image.Replace("busybox", "nothing", StringComparison.Ordinal)));

        Assert.Equal(FailureCode.ImagePull, refused.Code);
        Assert.Contains("nothing", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ImageLargerThanTheGuest_SaysThatThereIsNoRoomAndTheGuestLives()
    {
        var pod = await shared.GetAsync();

        var refused = await Assert.ThrowsAsync<AgentCallException>(() => CreateAsync(pod, "huge", r => r.Image = shared.Image.Replace("busybox", "huge", StringComparison.Ordinal)));

        Assert.Equal(FailureCode.NoSpace, refused.Code);
        Assert.NotNull(refused.Hint);
        Assert.Equal("default\n", (await RunAsync("after-huge", _ => { })).Output);
    }

    [Fact]
    public async Task ReadOutput_PolicyForbids_IsDeniedFromEveryOffset()
    {
        var pod = await shared.GetAsync();
        await CreateAsync(pod, "silent", r => r.Arguments.Add("echo secret"));
        await pod.Agent.StartContainerAsync("silent", Token);
        await pod.Agent.WaitProcessAsync("silent", Token);

        foreach (var offset in (ulong[])[0, 1, 3])
        {
            var refused = await Assert.ThrowsAsync<AgentCallException>(
                () => pod.Agent.ReadOutputAsync(new ReadOutputRequest { ContainerId = "silent", Offset = offset }, Token));
            Assert.Equal(FailureCode.PolicyDenied, refused.Code);
        }

        await pod.Agent.RemoveContainerAsync("silent", Token);
    }

    [Fact]
    public async Task Create_PolicyForbids_IsDeniedAndNothingIsPulled()
    {
        var pod = await shared.GetAsync();

        var refused = await Assert.ThrowsAsync<AgentCallException>(() => CreateAsync(pod, "forbidden", _ => { }));

        Assert.Equal(FailureCode.PolicyDenied, refused.Code);
        Assert.Equal(PolicyRule, refused.Subject);
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("-dash")]
    [InlineData("../up")]
    [InlineData("")]
    public async Task Create_IdentifierIsUnfit_IsRefused(string id)
    {
        var pod = await shared.GetAsync();

        var refused = await Assert.ThrowsAsync<AgentCallException>(() => CreateAsync(pod, id, _ => { }));

        Assert.Equal(FailureCode.InvalidRequest, refused.Code);
    }

    private const string PolicyRule = "CreateContainerRequest";

    private async Task<(string Output, string Errors, WaitProcessResponse Exit)> RunAsync(string id, Action<CreateContainerRequest> change)
    {
        var pod = await shared.GetAsync();
        await CreateAsync(pod, id, change);
        await pod.Agent.StartContainerAsync(id, Token);
        using MemoryStream output = new(), errors = new();
        await Task.WhenAll(
            OutputPump.CopyAsync(pod.Agent, id, OutputStream.Stdout, output, Token),
            OutputPump.CopyAsync(pod.Agent, id, OutputStream.Stderr, errors, Token));
        var exit = await pod.Agent.WaitProcessAsync(id, Token);
        await pod.Agent.RemoveContainerAsync(id, Token);
        return (Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(errors.ToArray()), exit);
    }

    private async Task CreateAsync(RunningPod pod, string id, Action<CreateContainerRequest> change)
    {
        var request = new CreateContainerRequest { ContainerId = id, Image = shared.Image, InsecureRegistry = true };
        change(request);
        await pod.Agent.CreateContainerAsync(request, Patience, Token);
    }
}
