using System.Text;
using Kist.Pods.Agent;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Pods.Tests;

/// <summary>Several containers, and several processes in them, in one real guest that was made a pod.</summary>
[Collection("guests")]
public class PodTests(SharedPod shared) : IClassFixture<SharedPod>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateSandbox_TwoContainersOfOneImage_ShareWhatAPodSharesAndNothingElse()
    {
        var pod = await shared.GetAsync();
        await pod.Agent.CreateSandboxAsync(
            new CreateSandboxRequest { SandboxId = "pod-1", Hostname = "the-pod", Dns = { "nameserver 10.9.8.7", "search example.org" } }, Token);
        await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.CreateSandboxAsync(new CreateSandboxRequest { SandboxId = "pod-2" }, Token));

        await StartAsync(pod, "first", "echo shared > /dev/shm/note; echo mine > /own; hostname; cat /etc/resolv.conf; echo ready; sleep 1000");
        await WaitForAsync(pod, "first", "ready");
        var second = await RunAsync(pod, "second", "cat /dev/shm/note; hostname; ls /own; ls /proc | grep -c '^[0-9]'");

        Assert.Equal("shared\nthe-pod\n", second.Output[..15]);
        Assert.Contains("/own: No such file", second.Errors, StringComparison.Ordinal);
        var steps = (await pod.Agent.GetProgressAsync(Token)).Steps;
        Assert.Single(steps, s => s.Name == "image.unpack");
        Assert.Single(steps, s => s.Name == "attest.record-image");
        await pod.Agent.RemoveContainerAsync("first", Token);

        Assert.Equal("again\n", (await RunAsync(pod, "third", "echo again")).Output);
        Assert.Single((await pod.Agent.GetProgressAsync(Token)).Steps, s => s.Name == "image.unpack");
    }

    [Fact]
    public async Task ExecProcess_InRunningContainer_IsAProcessOfItsOwn()
    {
        var pod = await shared.GetAsync();
        await StartAsync(pod, "host-of-execs", "sleep 1000");

        var executed = await ExecuteAsync(pod, "host-of-execs", "one", r =>
        {
            r.Arguments.AddRange(["/bin/sh", "-c", "cat; pwd; echo $FROM_IMAGE $MORE; id -u; echo oops >&2; exit 9"]);
            r.Environment.Add(new EnvironmentVariable { Name = "MORE", Value = "yes" });
            r.User = "worker";
            r.WorkingDirectory = "/tmp";
            r.Stdin = true;
        }, "typed\n");

        Assert.Equal(("typed\n/tmp\nyes yes\n1000\n", "oops\n", 9), (executed.Output, executed.Errors, executed.Exit.ExitCode));
        var refused = await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.ExecProcessAsync(
            new ExecProcessRequest { ContainerId = "host-of-execs", ExecId = "two", Arguments = { "/bin/forbidden" } }, Token));
        Assert.Equal(FailureCode.PolicyDenied, refused.Code);
        var missing = await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.ExecProcessAsync(
            new ExecProcessRequest { ContainerId = "host-of-execs", ExecId = "two", Arguments = { "/bin/nothing" } }, Token));
        Assert.Equal(FailureCode.ProgramNotFound, missing.Code);

        await pod.Agent.ExecProcessAsync(new ExecProcessRequest { ContainerId = "host-of-execs", ExecId = "long", Arguments = { "/bin/sleep", "1000" } }, Token);
        var process = new ProcessId("host-of-execs", "long");
        await pod.Agent.SignalProcessAsync(process, 9, cancellationToken: Token);
        Assert.Equal(137, (await pod.Agent.WaitProcessAsync(process, Token)).ExitCode);
        await pod.Agent.RemoveProcessAsync(process, Token);
        await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.WaitProcessAsync(process, Token));
        await pod.Agent.RemoveContainerAsync("host-of-execs", Token);
    }

    [Fact]
    public async Task ExecProcess_WithTerminal_HasItsOwnSize()
    {
        var pod = await shared.GetAsync();
        await StartAsync(pod, "host-of-terminal", "sleep 1000");
        var process = new ProcessId("host-of-terminal", "tty");
        await pod.Agent.ExecProcessAsync(
            new ExecProcessRequest
            {
                ContainerId = process.ContainerId,
                ExecId = process.ExecId,
                Arguments = { "/bin/sh", "-c", "read x; stty size" },
                Tty = true,
                Stdin = true,
            }, Token);
        await pod.Agent.ResizeTtyAsync(process, 50, 120, Token);
        await pod.Agent.WriteStdinAsync(process, "go\n"u8.ToArray(), Token);
        using var output = new MemoryStream();
        await OutputPump.CopyAsync(pod.Agent, process, OutputStream.Stdout, output, Token);

        Assert.Equal("go\r\n50 120\r\n", Encoding.ASCII.GetString(output.ToArray()));
        await pod.Agent.RemoveContainerAsync(process.ContainerId, Token);
    }

    [Fact]
    public async Task PauseUpdateStats_RunningContainer_AreTheCgroups()
    {
        var pod = await shared.GetAsync();
        await StartAsync(pod, "busy", "while :; do :; done");
        await pod.Agent.UpdateContainerAsync("busy", new ResourceLimits { MemoryBytes = 48 << 20, CpuMillis = 500, Pids = 33, CpuShares = 512 }, Token);

        await pod.Agent.PauseContainerAsync("busy", Token);
        var paused = await pod.Agent.StatsContainerAsync("busy", Token);
        await Task.Delay(300, Token);
        var still = await pod.Agent.StatsContainerAsync("busy", Token);
        Assert.Equal(paused.Cpu.UsageUsec, still.Cpu.UsageUsec);
        Assert.True(still.Cpu.UsageUsec > 0 && still.Memory.Usage > 0);
        Assert.Equal((48ul << 20, 33ul, 1ul), (still.Memory.UsageLimit, still.Pids.Limit, still.Pids.Current));

        await pod.Agent.ResumeContainerAsync("busy", Token);
        for (var i = 0; i < 100 && (await pod.Agent.StatsContainerAsync("busy", Token)).Cpu.UsageUsec == still.Cpu.UsageUsec; i++)
            await Task.Delay(100, Token);
        Assert.NotEqual(still.Cpu.UsageUsec, (await pod.Agent.StatsContainerAsync("busy", Token)).Cpu.UsageUsec);

        await pod.Agent.PauseContainerAsync("busy", Token);
        await pod.Agent.RemoveContainerAsync("busy", Token);
    }

    [Fact]
    public async Task GetOutOfMemoryEvent_ChildExceedsLimit_NamesTheContainerOnce()
    {
        var pod = await shared.GetAsync();
        var request = new CreateContainerRequest { ContainerId = "greedy", Image = shared.Image, InsecureRegistry = true, Limits = new ResourceLimits { MemoryBytes = 16 << 20 } };
        request.Arguments.Add("dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1000");
        await pod.Agent.CreateContainerAsync(request, Patience, Token);
        await pod.Agent.StartContainerAsync("greedy", Token);

        Assert.Equal("greedy", await pod.Agent.GetOutOfMemoryEventAsync(TimeSpan.FromSeconds(60), Token));
        Assert.Null(await pod.Agent.GetOutOfMemoryEventAsync(TimeSpan.Zero, Token));
        await pod.Agent.RemoveContainerAsync("greedy", Token);
    }

    [Fact]
    public async Task CreateContainer_OfANameThatRuns_IsRefused()
    {
        var pod = await shared.GetAsync();
        await StartAsync(pod, "only", "sleep 1000");

        var refused = await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.CreateContainerAsync(
            new CreateContainerRequest { ContainerId = "other", Name = "only", Image = shared.Image, InsecureRegistry = true }, Patience, Token));

        Assert.Equal(FailureCode.InvalidRequest, refused.Code);
        await pod.Agent.RemoveContainerAsync("only", Token);
    }

    private async Task StartAsync(RunningPod pod, string id, string script)
    {
        var request = new CreateContainerRequest { ContainerId = id, Image = shared.Image, InsecureRegistry = true };
        request.Arguments.Add(script);
        await pod.Agent.CreateContainerAsync(request, Patience, Token);
        await pod.Agent.StartContainerAsync(id, Token);
    }

    private async Task<(string Output, string Errors)> RunAsync(RunningPod pod, string id, string script)
    {
        await StartAsync(pod, id, script);
        var result = await CollectAsync(pod, id);
        await pod.Agent.RemoveContainerAsync(id, Token);
        return (result.Output, result.Errors);
    }

    private static async Task<(string Output, string Errors, WaitProcessResponse Exit)> ExecuteAsync(
        RunningPod pod, string containerId, string execId, Action<ExecProcessRequest> change, string input)
    {
        var request = new ExecProcessRequest { ContainerId = containerId, ExecId = execId };
        change(request);
        await pod.Agent.ExecProcessAsync(request, Token);
        var process = new ProcessId(containerId, execId);
        await pod.Agent.WriteStdinAsync(process, Encoding.ASCII.GetBytes(input), Token);
        await pod.Agent.CloseStdinAsync(process, Token);
        return await CollectAsync(pod, process);
    }

    private static async Task<(string Output, string Errors, WaitProcessResponse Exit)> CollectAsync(RunningPod pod, ProcessId process)
    {
        using MemoryStream output = new(), errors = new();
        await Task.WhenAll(
            OutputPump.CopyAsync(pod.Agent, process, OutputStream.Stdout, output, Token),
            OutputPump.CopyAsync(pod.Agent, process, OutputStream.Stderr, errors, Token));
        return (Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(errors.ToArray()), await pod.Agent.WaitProcessAsync(process, Token));
    }

    private static async Task WaitForAsync(RunningPod pod, string id, string text)
    {
        var seen = "";
        while (!seen.Contains(text, StringComparison.Ordinal))
        {
            var request = new ReadOutputRequest { ContainerId = id, Offset = (ulong)seen.Length, WaitMilliseconds = 20_000 };
            seen += Encoding.ASCII.GetString((await pod.Agent.ReadOutputAsync(request, Token)).Data.Span);
        }
    }
}
