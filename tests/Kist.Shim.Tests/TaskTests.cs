using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Kist.Shim.Tests;

/// <summary>Tasks under Debian's containerd: what its own client shows.</summary>
[Collection("containerd")]
public sealed class TaskTests(Containerd fixture)
{
    private readonly Containerd _containerd = fixture.Require();

    [Fact]
    public void Run_SingleTask_OutputErrorsAndStatusComeThrough()
    {
        var result = _containerd.RunCtr(_containerd.Run("single", ["--rm", "--env", "MORE=a b"], "/bin/sh", "-c", "echo $FROM_IMAGE $MORE; hostname; echo oops >&2; exit 7"));

        Assert.True(result is { ExitCode: 7, Output: "yes a b\nsingle\n", Error: "oops\n" }, result + Tail());
        AssertNothingIsLeft("single");
    }

    [Fact]
    public void Run_WithInput_IsPassedOnToItsEnd()
    {
        var client = _containerd.StartCtr(_containerd.Run("input", ["--rm"], "/bin/cat"));
        client.Type(string.Concat(Enumerable.Range(0, 5000).Select(i => $"line {i}\n")));
        var result = client.Finish();

        Assert.True(result.ExitCode == 0, result + Tail());
        Assert.Equal(string.Concat(Enumerable.Range(0, 5000).Select(i => $"line {i}\n")), result.Output);
    }

    [Fact]
    public void Run_PolicyForbids_SaysSoAndLeavesNothing()
    {
        var result = _containerd.RunCtr(_containerd.Run("refused", ["--rm", "--annotation", "org.kist.name=forbidden"], "/bin/true"));

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("the policy does not allow this request", result.Error, StringComparison.Ordinal);
        AssertNothingIsLeft("refused");
    }

    [Fact]
    public void Run_WithoutInitData_IsRefusedWithTheRemedy()
    {
        var result = _containerd.RunCtr(
            "run", "--rm", "--runtime", _containerd.Shim, "--runtime-config-path", _containerd.Configuration,
            "--annotation", $"org.kist.image={_containerd.Image}", "--rootfs", $"{_containerd.Folder}/empty", "bare", "/bin/true");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("it has no init-data", result.Error, StringComparison.Ordinal);
        AssertNothingIsLeft("bare");
    }

    [Fact]
    public void Tasks_ExecKillPauseMetricsUpdate_OfADetachedTask()
    {
        Must(_containerd.Run("detached", ["-d"], "/bin/sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.1; done"));

        var executed = _containerd.StartCtr("tasks", "exec", "--exec-id", "e1", "detached", "/bin/sh", "-c", "cat; echo err >&2; exit 9");
        executed.Type("typed\n");
        var result = executed.Finish();
        Assert.True(result is { ExitCode: 9, Output: "typed\n", Error: "err\n" }, result + Tail());

        Assert.Contains("detached", Must("tasks", "list").Output, StringComparison.Ordinal);
        var metrics = Must("tasks", "metrics", "detached").Output;
        Assert.Contains("usage_usec", metrics, StringComparison.Ordinal);
        Assert.Matches("pids.current +[1-9]", metrics);
        Must("tasks", "pause", "detached");
        Assert.Contains("PAUSED", Must("tasks", "list").Output, StringComparison.Ordinal);
        Must("tasks", "resume", "detached");
        Assert.Contains("RUNNING", Must("tasks", "list").Output, StringComparison.Ordinal);
        var checkpoint = _containerd.RunCtr("tasks", "checkpoint", "detached");
        Assert.Contains("a guest's memory is its own", checkpoint.Error, StringComparison.Ordinal);

        Must("tasks", "kill", "--signal", "SIGTERM", "detached");
        Assert.Equal(5, WaitForStop("detached"));
        Must("containers", "delete", "detached");
        AssertNothingIsLeft("detached");
    }

    [Fact]
    public void Run_WithTerminal_IsOne()
    {
        // The specification's size is there at once; ctr then gives the size of its own terminal, before the program asks or after it.
        const string Wait = "stty size; echo $TERM; i=0; until [ \"$(stty size)\" = \"43 132\" ] || [ $i = 300 ]; do sleep 0.1; i=$((i+1)); done; stty size; cat; exit 3";
        var specification = _containerd.WriteSpecification("terminal", (40, 90), "/bin/sh", "-c", Wait);
        var client = StartOnTerminal("run", "--rm", "-t", "--runtime", _containerd.Shim, "--runtime-config-path", _containerd.Configuration, "--config", specification, "terminal");
        WaitUntil(() => client.OutputSoFar.Contains("43 132", StringComparison.Ordinal), "the terminal has its size");
        var executed = StartOnTerminal("tasks", "exec", "-t", "--exec-id", "e1", "terminal", "/bin/sh", "-c", "'stty size; exit 4'").Finish();
        client.Type("\u0004"); // Ctrl-D ends the input
        var result = client.Finish();

        // ctr tells the size of its own terminal when the process is there, before or after it asks.
        Assert.True(executed.ExitCode == 4 && Regex.IsMatch(executed.Output, "40 90|43 132"), executed + Tail());
        Assert.True(result.ExitCode == 3 && Regex.IsMatch(result.Output.Replace("\r", "", StringComparison.Ordinal), @"\A(40 90|43 132)\nxterm\n43 132\n"), result + Tail());
    }

    [Fact]
    public void Pod_OfSeveralContainers_IsOneMachine()
    {
        Must(_containerd.RunPod("pod-a"));
        var shim = Assert.Single(Containerd.ShimsOf("pod-a"));
        Must(_containerd.RunMember("pod-a", "server", ["-d"], "/bin/sh", "-c", "echo shared > /dev/shm/x; while :; do echo hello | nc -l -p 8000; done"));
        var client = _containerd.RunCtr(_containerd.RunMember("pod-a", "client", ["--rm"], "/bin/sh", "-c", "cat /dev/shm/x; nc 127.0.0.1 8000 </dev/null; exit 4"));

        Assert.True(client is { ExitCode: 4, Output: "shared\nhello\n" }, client + Tail());
        Assert.Equal([shim], Containerd.ShimsOf("pod-a"));
        Assert.Empty(Containerd.ShimsOf("client"));
        Assert.Single(ProcessTable.ChildrenOf(shim));
        Assert.Contains("usage_usec", Must("tasks", "metrics", "pod-a").Output, StringComparison.Ordinal);

        Must("tasks", "kill", "--signal", "SIGKILL", "server");
        Assert.Equal(137, WaitForStop("server"));
        Must("containers", "delete", "server");
        Must("tasks", "kill", "--signal", "SIGKILL", "pod-a");
        Assert.Equal(137, WaitForStop("pod-a"));
        Must("containers", "delete", "pod-a");
        AssertNothingIsLeft("pod-a");
    }

    [Fact]
    public void Events_OfATask_ComeInOrder()
    {
        using var events = _containerd.WatchEvents();
        var run = _containerd.RunCtr(_containerd.Run("noted", ["--rm"], "/bin/true"));
        Assert.True(run.ExitCode == 0, run + Tail());
        WaitUntil(() => events.Of("noted").Any(e => e.Topic == "/containers/delete"), "containerd has told the last event");

        Assert.Equal(
            ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"],
            events.Of("noted").Select(e => e.Topic).Where(t => t.StartsWith("/tasks/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Restart_OfContainerd_FindsTheTaskAndItsEnd()
    {
        Must(_containerd.Run("survivor", ["-d"], "/bin/sh", "-c", "trap 'exit 6' TERM; while :; do sleep 0.1; done"));
        _containerd.Stop();
        _containerd.Start();

        Assert.Contains("RUNNING", Must("tasks", "list").Output.Split('\n').Single(l => l.StartsWith("survivor ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(8, _containerd.RunCtr("tasks", "exec", "--exec-id", "after", "survivor", "/bin/sh", "-c", "exit 8").ExitCode);
        Must("tasks", "kill", "--signal", "SIGTERM", "survivor");
        Assert.Equal(6, WaitForStop("survivor"));
        Must("containers", "delete", "survivor");
        AssertNothingIsLeft("survivor");
    }

    [Fact]
    public void Killed_MachineOfARunningTask_IsItsEnd()
    {
        Must(_containerd.Run("killed-machine", ["-d"], "/bin/sleep", "1000"));
        var machine = Assert.Single(ProcessTable.ChildrenOf(Assert.Single(Containerd.ShimsOf("killed-machine"))));
        Process.GetProcessById(machine).Kill();

        Assert.Equal(137, WaitForStop("killed-machine"));
        Must("containers", "delete", "killed-machine");
        AssertNothingIsLeft("killed-machine");
    }

    /// <summary>What containerd makes of a shim that is gone does not depend on whose it was: runc's shows it.</summary>
    [Fact]
    public void Killed_ShimOfARunningTask_IsWhatItIsUnderRunc()
    {
        var expected = KillShim("lost-runc", _containerd.RunUnderRunc("lost-runc", ["-d"], "/bin/sleep", "1000"), "containerd-shim-runc-v2");
        var actual = KillShim("lost-kist", _containerd.Run("lost-kist", ["-d"], "/bin/sleep", "1000"), "containerd-shim-kist-v2");

        Assert.Equal(["/tasks/exit 137", "/tasks/delete 137"], expected);
        Assert.Equal(expected, actual);
    }

    /// <summary>The events that follow, and the check that nothing is left.</summary>
    private string[] KillShim(string id, string[] run, string program)
    {
        Must(run);
        using var events = _containerd.WatchEvents();
        var shim = Assert.Single(ProcessTable.All(), p => p.CommandLine.Contains(program, StringComparison.Ordinal) && p.CommandLine.Contains($"-id {id} ", StringComparison.Ordinal)).Id;
        var machines = ProcessTable.ChildrenOf(shim);
        Process.GetProcessById(shim).Kill();

        WaitUntil(() => events.Of(id).Any(e => e.Topic == "/tasks/delete"), $"containerd has given {id} up");
        foreach (var machine in machines)
            WaitUntil(() => !ProcessTable.Exists(machine), "the machine has ended");
        Assert.DoesNotContain(id, Must("tasks", "list").Output, StringComparison.Ordinal);
        Assert.Contains("not found", _containerd.RunCtr("tasks", "delete", id).Error, StringComparison.Ordinal);
        Must("containers", "delete", id);
        AssertNothingIsLeft(id);
        return [.. events.Of(id).Where(e => e.Topic.StartsWith("/tasks/", StringComparison.Ordinal)).Select(e => $"{e.Topic} {e.ExitStatus}")];
    }

    [Theory]
    [InlineData(300, false)]
    [InlineData(1500, true)]
    [InlineData(4000, false)]
    [InlineData(7000, true)]
    public void Killed_ShimDuringTheStart_LeavesNothing(int afterMilliseconds, bool exhaustive)
    {
        if (exhaustive)
            Exhaustive.Require();
        var id = $"early-{afterMilliseconds}";
        var client = _containerd.StartCtr(_containerd.Run(id, ["--rm"], "/bin/sleep", "1000"));
        WaitUntil(() => Containerd.ShimsOf(id).Count == 1, "there is a shim");
        Thread.Sleep(afterMilliseconds);
        var shim = Assert.Single(Containerd.ShimsOf(id));
        var machines = ProcessTable.ChildrenOf(shim);
        Process.GetProcessById(shim).Kill();

        Assert.NotEqual(0, client.Finish().ExitCode);
        foreach (var machine in machines)
            WaitUntil(() => !ProcessTable.Exists(machine), "the machine has ended");
        _containerd.RunCtr("containers", "delete", id);
        AssertNothingIsLeft(id);
    }

    [Theory]
    [InlineData(300, true)]
    [InlineData(4000, false)]
    public void Killed_ContainerdDuringTheStart_LeavesNothing(int afterMilliseconds, bool exhaustive)
    {
        if (exhaustive)
            Exhaustive.Require();
        var id = $"orphan-{afterMilliseconds}";
        var client = _containerd.StartCtr(_containerd.Run(id, ["-d"], "/bin/sleep", "1000"));
        WaitUntil(() => Containerd.ShimsOf(id).Count == 1, "there is a shim");
        Thread.Sleep(afterMilliseconds);
        _containerd.Stop();
        client.Finish();
        _containerd.Start();

        _containerd.Remove(id);
        AssertNothingIsLeft(id);
    }

    [Fact]
    public void Run_ReturningMemory_GivesTheHostWhatTheGuestHasFreed()
    {
        Exhaustive.Require();
        Must(_containerd.Run("giving", ["-d"], "/bin/sh", "-c", "sleep 1000").Select(a => a == _containerd.Configuration ? _containerd.ReturningConfiguration : a).ToArray());
        var machine = Assert.Single(ProcessTable.ChildrenOf(Assert.Single(Containerd.ShimsOf("giving"))));
        var before = ProcessTable.ResidentMebibytes(machine);
        Must("tasks", "exec", "--exec-id", "take", "giving", "/bin/dd", "if=/dev/zero", "of=/dev/shm/x", "bs=1M", "count=60");
        WaitUntil(() => ProcessTable.ResidentMebibytes(machine) > before + 40, $"the machine has grown from {before} MiB");
        var full = ProcessTable.ResidentMebibytes(machine);
        Must("tasks", "exec", "--exec-id", "give", "giving", "/bin/rm", "/dev/shm/x");
        WaitUntil(() => ProcessTable.ResidentMebibytes(machine) < full - 40, $"the machine has shrunk from {full} MiB");
        _containerd.Remove("giving");
        AssertNothingIsLeft("giving");
    }

    /// <summary>script(1) gives ctr the terminal that it insists on.</summary>
    private CtrProcess StartOnTerminal(params string[] arguments) => new(
        "/usr/bin/script", ["-qec", $"stty rows 43 cols 132; {Containerd.Ctr} --address {_containerd.Address} {string.Join(' ', arguments)}", "/dev/null"]);

    private CtrResult Must(params string[] arguments)
    {
        var result = _containerd.RunCtr(arguments);
        Assert.True(result.ExitCode == 0, $"ctr {string.Join(' ', arguments.Where(a => a.Length < 200))}: {result}{Tail()}");
        return result;
    }

    /// <summary>The task's status, which "ctr tasks delete" warns of if it is not 0.</summary>
    private int WaitForStop(string id)
    {
        WaitUntil(() => !_containerd.RunCtr("tasks", "list").Output.Split('\n').Any(l => l.StartsWith($"{id} ", StringComparison.Ordinal) && !l.Contains("STOPPED", StringComparison.Ordinal)), $"{id} has stopped");
        var deleted = Must("tasks", "delete", id);
        var warned = Regex.Match(deleted.Error, "non-zero exit code ([0-9]+)");
        return warned.Success ? int.Parse(warned.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
    }

    private void WaitUntil(Func<bool> condition, string what)
    {
        for (var i = 0; i < 400; i++)
        {
            if (condition())
                return;
            Thread.Sleep(50);
        }

        Assert.Fail($"not so after 20 s: {what}{Tail()}");
    }

    private void AssertNothingIsLeft(string id)
    {
        WaitUntil(() => Containerd.ShimsOf(id).Count == 0, $"no shim of {id}");
        WaitUntil(() => !Directory.Exists($"{_containerd.Folder}/state/io.containerd.runtime.v2.task/default/{id}"), $"no bundle of {id}");
        Assert.DoesNotContain(File.ReadLines("/proc/mounts"), l => l.Contains($"/{id}/", StringComparison.Ordinal));
        foreach (var controller in (string[])["", "memory/", "cpu/", "pids/"])
            WaitUntil(() => !Directory.Exists($"/sys/fs/cgroup/{controller}default/{id}"), $"no cgroup of {id}");
        var socket = Bundles.ShimSocket.Of(_containerd.Address, "default", id).Path;
        WaitUntil(() => !File.Exists(socket), $"no socket of {id}");
    }

    private string Tail() => $"\n{string.Join('\n', File.ReadLines(_containerd.Log).Where(l => !l.Contains("copy shim log", StringComparison.Ordinal) && !l.Contains("loading plugin", StringComparison.Ordinal)).TakeLast(4))}";
}
