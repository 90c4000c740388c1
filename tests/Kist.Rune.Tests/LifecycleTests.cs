using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Kist.Rune.Tests;

/// <summary>What the OCI runtime specification says of an enclave container's life, and that its sudden end leaves nothing.</summary>
public sealed class LifecycleTests : IDisposable
{
    private readonly RuneBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public void Operations_InTheWrongState_AreRefusedAndChangeNothing()
    {
        _bundle.Configure("/bin/sleep", "60");
        var id = _bundle.Create();
        var twice = _bundle.Rune("create", "--bundle", _bundle.Path, id);
        Assert.True(twice.ExitCode == 1 && twice.Error.Contains("a container with this identifier exists", StringComparison.Ordinal), twice.All);
        Assert.Equal("created", _bundle.Status(id));
        _bundle.Start(id);
        Assert.NotEqual(0, _bundle.Rune("start", id).ExitCode);
        Assert.NotEqual(0, _bundle.Rune("delete", id).ExitCode);
        Assert.Equal("running", _bundle.Status(id));
        Assert.Equal(1, _bundle.Rune("checkpoint", id).ExitCode);
        _bundle.Require("kill", id, "KILL");
        _bundle.WaitFor(id, "stopped");
        Assert.NotEqual(0, _bundle.Rune("start", id).ExitCode);
        _bundle.Require("delete", id);
        foreach (var command in new[] { "state", "start", "kill", "delete" })
            Assert.NotEqual(0, _bundle.Rune(command, id).ExitCode);
        _bundle.AssertNothingOf(id);
    }

    [Fact]
    public void Hooks_OfEveryKind_RunAtTheirStageWithTheState()
    {
        var record = Path.Combine(_bundle.Path, "hooks");
        JsonArray Hook(string name, string file) => [new JsonObject
        {
            ["path"] = "/bin/sh",
            ["args"] = new JsonArray("sh", "-c", $"echo {name} $(cat) >> {file}"),
        }];
        _bundle.Configure(["/bin/sleep", "60"], c =>
        {
            c["root"]!["readonly"] = false;
            c["hooks"] = new JsonObject
            {
                ["prestart"] = Hook("prestart", record),
                ["createRuntime"] = Hook("createRuntime", record),
                ["createContainer"] = Hook("createContainer", record),
                ["startContainer"] = Hook("startContainer", "/hooks"),
                ["poststart"] = Hook("poststart", record),
                ["poststop"] = Hook("poststop", record),
            };
        });
        var id = _bundle.Create();
        Assert.Equal(["prestart", "createRuntime", "createContainer"], Names(record)[..3]); // runc 1.1 runs poststart here already
        _bundle.Start(id);
        _bundle.WaitForAgent(id);
        Assert.Equal(["startContainer"], Names(Path.Combine(_bundle.Root, "hooks")));
        _bundle.Require("delete", "--force", id);
        Assert.Equal(["prestart", "createRuntime", "createContainer", "poststart", "poststop"], Names(record));
        // Those of the runtime's own namespace; runc 1.1 gives hooks in the container no state.
        foreach (var line in File.ReadLines(record).Where(l => !l.StartsWith("createContainer", StringComparison.Ordinal)))
        {
            var state = JsonNode.Parse(line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..])!;
            Assert.Equal(id, state["id"]!.GetValue<string>());
            Assert.Equal(_bundle.Path, state["annotations"]!["kist.enclave.bundle"]!.GetValue<string>());
        }
    }

    [Fact]
    public void Create_HookFails_FailsAndLeavesNothingBehind()
    {
        _bundle.Configure(["/bin/true"], c => c["hooks"] = new JsonObject { ["createRuntime"] = new JsonArray(new JsonObject { ["path"] = "/bin/false" }) });
        var id = _bundle.NewId();
        Assert.NotEqual(0, _bundle.Rune("create", "--bundle", _bundle.Path, id).ExitCode);
        _bundle.AssertNothingOf(id);
    }

    /// <summary>An idle platform ends by itself; a container that was created before it did must start all the same.</summary>
    [Fact]
    public void Start_PlatformEndedSinceCreate_StartsItAgain()
    {
        _bundle.Configure("/bin/echo", "late");
        var id = _bundle.Create();
        EndPlatform();
        _bundle.Start(id);
        Assert.EndsWith("late\n", _bundle.WaitFor(id, "stopped"), StringComparison.Ordinal);
    }

    /// <summary>Without the platform an enclave runs on, but proves nothing any more.</summary>
    [Fact]
    public void Kill_Platform_LeavesTheProgramRunningWithoutEvidence()
    {
        _bundle.Configure("/bin/sleep", "60");
        var id = Running();
        EndPlatform();
        var attested = _bundle.Rune("attest", "--isRA", id);
        Assert.True(attested is { ExitCode: 1 } && attested.Error.Contains("the service cannot be reached", StringComparison.Ordinal), attested.All);
        Assert.Equal("running", _bundle.Status(id));
        _bundle.Require("delete", "--force", id);
        _bundle.AssertNothingOf(id);
    }

    [Theory]
    [InlineData("created")]
    [InlineData("starting")]
    [InlineData("program")]
    public void Kill_AtAStage_LeavesNothingBehind(string stage)
    {
        _bundle.Configure("/bin/sleep", "986");
        var id = _bundle.Create();
        if (stage != "created")
            _bundle.Start(id);
        if (stage == "program")
            _bundle.WaitForAgent(id);
        Linux.Processes.Signals.Send(stage == "program" ? Processes("sleep\0986").Single() : _bundle.Pid, 9);
        _bundle.WaitFor(id, "stopped");
        _bundle.Require("delete", id);
        Assert.Empty(Processes("sleep\0986"));
        _bundle.AssertNothingOf(id);
    }

    [Fact]
    public void Kill_CreateItself_IsCleanedUpByDelete()
    {
        var slow = Path.Combine(_bundle.Path, "slow");
        File.WriteAllText(slow, "#!/bin/sh\nexec sleep 985\n");
        File.SetUnixFileMode(slow, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _bundle.Configure("/bin/true");
        var id = _bundle.NewId();
        var start = new ProcessStartInfo(RuneBundle.Program, ["--root", Path.Combine(_bundle.Path, "runtime"), "create", "--bundle", _bundle.Path, id]) { RedirectStandardError = true };
        start.Environment["KIST_RUNE_STATE"] = _bundle.State;
        start.Environment["KIST_RUNE_RUNTIME"] = slow;
        using (var creating = Process.Start(start)!)
        {
            for (var i = 0; i < 200 && Processes("sleep\0985").Length == 0; i++)
                Thread.Sleep(50);
            creating.Kill();
            creating.WaitForExit();
        }

        Linux.Processes.Signals.Send(Processes("sleep\0985").Single(), 9);
        Assert.NotEmpty(Directory.GetDirectories(_bundle.State, id, SearchOption.AllDirectories));
        _bundle.Require("delete", "-f", id);
        _bundle.AssertNothingOf(id);
    }

    [Fact]
    public async Task Exec_WithTerminal_GivesTheProgramAControllingTerminal()
    {
        const string script = "[ -t 0 ] && [ -t 2 ] && echo on a terminal; echo size $(stty size); read line; echo got $line; exit 4";
        _bundle.Configure(
            ["/bin/sleep", "60"],
            c => c["annotations"]!["kist.enclave.exec"] = new JsonArray(new JsonArray("/bin/sh", "-c", script)).ToJsonString());
        var id = Running();
        using var console = new ConsoleListener(Path.Combine(_bundle.Path, "console.sock"));
        var exec = Task.Run(() => _bundle.Rune("exec", "--tty", "--console-socket", console.Path, id, "/bin/sh", "-c", script));
        using var master = console.Accept();
        new Linux.Terminals.TerminalSize(33, 77).Set(master);
        using var stream = new FileStream(master, FileAccess.ReadWrite, bufferSize: 0);
        stream.Write("words\n"u8);
        var output = ConsoleListener.ReadToEnd(stream);
        var ended = await exec;
        Assert.True(ended.ExitCode == 4, ended.All + output);
        Assert.Contains("on a terminal", output, StringComparison.Ordinal);
        Assert.Contains("got words", output, StringComparison.Ordinal);

        var refused = _bundle.Rune("exec", "--console-socket", console.Path, id, "/bin/sh", "-c", script);
        Assert.True(refused.ExitCode == 1 && refused.Error.Contains("wants no terminal", StringComparison.Ordinal), refused.All);
    }

    [Fact]
    public void PassedOnCommands_OfAnEnclaveContainer_Work()
    {
        _bundle.Configure("/bin/sleep", "60");
        var id = Running();
        Assert.Contains("kist-enclave", _bundle.Rune("ps", id).Output, StringComparison.Ordinal);
        Assert.Contains(id, _bundle.Rune("list", "-q").Output, StringComparison.Ordinal);
        var listed = JsonNode.Parse(_bundle.Rune("list", "--format", "json").Output)!.AsArray().Single(c => c!["id"]!.GetValue<string>() == id)!;
        Assert.Equal("running", listed["status"]!.GetValue<string>());
        Assert.Contains("kist.enclave.types", _bundle.Rune("features").Output, StringComparison.Ordinal);
    }

    /// <summary>crun has no "events": then they are kist-rune's own, which here are compared with runc's.</summary>
    [Fact]
    public async Task Events_WhereTheUnderlyingRuntimeHasNone_AreRuncs()
    {
        var runc = new[] { "/usr/sbin/runc", "/usr/bin/runc" }.FirstOrDefault(File.Exists);
        Assert.SkipWhen(runc is null, "runc is not installed");
        var crun = Path.Combine(_bundle.Path, "crun");
        File.WriteAllText(crun, $"#!/bin/sh\ncase \" $* \" in *' events '*) exit 64;; esac\nexec {runc} \"$@\"\n");
        File.SetUnixFileMode(crun, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _bundle.Configure("/bin/sleep", "60");
        var id = Running();
        ToolResult Events(string runtime, params string[] options) => Tool.Run(
            RuneBundle.Program, ["--root", Path.Combine(_bundle.Path, "runtime"), "events", .. options, id],
            new Dictionary<string, string>(_bundle.Variables) { ["KIST_RUNE_RUNTIME"] = runtime });

        var (own, theirs) = (Events(crun, "--stats"), Events(runc!, "--stats"));
        Assert.True(own.ExitCode == 0 && theirs.ExitCode == 0, own.All + theirs.All);
        var (ours, reference) = (JsonNode.Parse(own.Output)!, JsonNode.Parse(theirs.Output)!);
        foreach (var member in new[] { "type", "id" })
            Assert.Equal(reference[member]!.GetValue<string>(), ours[member]!.GetValue<string>());
        foreach (var member in new[] { "cpu", "memory", "pids", "blkio", "hugetlb", "intel_rdt" })
            Assert.True(ours["data"]!.AsObject().ContainsKey(member) && reference["data"]!.AsObject().ContainsKey(member), member);
        Assert.True(JsonNode.DeepEquals(reference["data"]!["memory"]!["usage"]!["limit"], ours["data"]!["memory"]!["usage"]!["limit"]), own.Output + theirs.Output);
        Assert.Equal(reference["data"]!["pids"]!["current"]!.GetValue<ulong>(), ours["data"]!["pids"]!["current"]!.GetValue<ulong>());
        Assert.InRange(ours["data"]!["memory"]!["usage"]!["usage"]!.GetValue<ulong>(), 1UL << 20, 1UL << 30);

        // Without --stats one a time, until the container has ended.
        var watching = Task.Run(() => Events(crun, "--interval", "100ms"), TestContext.Current.CancellationToken);
        await Task.Delay(500, TestContext.Current.CancellationToken);
        _bundle.Require("kill", id, "KILL");
        var watched = await watching;
        Assert.True(watched.ExitCode == 0 && watched.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length > 1, watched.All);
        Assert.NotEqual(0, Events(crun, "--stats").ExitCode);
        Assert.NotEqual(0, Events(crun, "--interval", "soon").ExitCode);
    }

    [Fact]
    public void PauseResumeAndUpdate_OfAnEnclaveContainer_AreTheUnderlyingRuntimes()
    {
        _bundle.Configure("/bin/sleep", "60");
        var id = Running();
        _bundle.Require("pause", id);
        Assert.Equal("paused", _bundle.Status(id));
        Assert.NotEqual(0, _bundle.Rune("pause", id).ExitCode);
        _bundle.Require("resume", id);
        Assert.Equal("running", _bundle.Status(id));
        _bundle.Require("update", "--pids-limit", "77", id);
        Assert.Equal(77, JsonNode.Parse(_bundle.Require("events", "--stats", id).Output)!["data"]!["pids"]!["limit"]!.GetValue<int>());
        _bundle.WaitForAgent(id);
    }

    private string Running()
    {
        var id = _bundle.Create();
        _bundle.Start(id);
        _bundle.WaitForAgent(id);
        return id;
    }

    private void EndPlatform()
    {
        var platform = Processes($"platform\0--directory\0{_bundle.State}").Single();
        Linux.Processes.Signals.Send(platform, 9);
        for (var i = 0; i < 200 && Processes($"platform\0--directory\0{_bundle.State}").Length > 0; i++)
            Thread.Sleep(10);
    }

    private static string[] Names(string record) => [.. File.ReadLines(record).Select(l => l.Split(' ')[0])];

    private static int[] Processes(string commandLine) => [.. ProcessTable.Find(commandLine)];
}
