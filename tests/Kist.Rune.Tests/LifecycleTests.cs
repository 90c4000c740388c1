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
        Assert.Equal(0, _bundle.Rune("start", id).ExitCode);
        Assert.NotEqual(0, _bundle.Rune("start", id).ExitCode);
        Assert.NotEqual(0, _bundle.Rune("delete", id).ExitCode);
        Assert.Equal("running", _bundle.Status(id));
        Assert.Equal(1, _bundle.Rune("checkpoint", id).ExitCode);
        Assert.Equal(0, _bundle.Rune("kill", id, "KILL").ExitCode);
        _bundle.WaitFor(id, "stopped");
        Assert.NotEqual(0, _bundle.Rune("start", id).ExitCode);
        Assert.Equal(0, _bundle.Rune("delete", id).ExitCode);
        foreach (var command in new[] { "state", "start", "kill", "delete" })
            Assert.NotEqual(0, _bundle.Rune(command, id).ExitCode);
        AssertNothingOf(id);
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
        Assert.Equal(0, _bundle.Rune("start", id).ExitCode);
        _bundle.WaitForAgent(id);
        Assert.Equal(["startContainer"], Names(Path.Combine(_bundle.Root, "hooks")));
        Assert.Equal(0, _bundle.Rune("delete", "--force", id).ExitCode);
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
        AssertNothingOf(id);
    }

    /// <summary>An idle platform ends by itself; a container that was created before it did must start all the same.</summary>
    [Fact]
    public void Start_PlatformEndedSinceCreate_StartsItAgain()
    {
        _bundle.Configure("/bin/echo", "late");
        var id = _bundle.Create();
        EndPlatform();
        Assert.Equal(0, _bundle.Rune("start", id).ExitCode);
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
        Assert.Equal(0, _bundle.Rune("delete", "--force", id).ExitCode);
        AssertNothingOf(id);
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
            Assert.Equal(0, _bundle.Rune("start", id).ExitCode);
        if (stage == "program")
            _bundle.WaitForAgent(id);
        Linux.Processes.Signals.Send(stage == "program" ? Processes("sleep\0986").Single() : _bundle.Pid, 9);
        _bundle.WaitFor(id, "stopped");
        Assert.Equal(0, _bundle.Rune("delete", id).ExitCode);
        Assert.Empty(Processes("sleep\0986"));
        AssertNothingOf(id);
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
        Assert.Equal(0, _bundle.Rune("delete", "-f", id).ExitCode);
        AssertNothingOf(id);
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

    private string Running()
    {
        var id = _bundle.Create();
        Assert.Equal(0, _bundle.Rune("start", id).ExitCode);
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

    private void AssertNothingOf(string id)
    {
        var containers = Path.Combine(_bundle.State, "containers");
        Assert.Empty(Directory.Exists(containers) ? Directory.GetDirectories(containers, id, SearchOption.AllDirectories) : []);
        Assert.DoesNotContain(File.ReadLines("/proc/self/mountinfo"), l => l.Contains(id, StringComparison.Ordinal));
        Assert.False(Directory.Exists(Path.Combine(_bundle.Path, "runtime", id)));
    }

    private static string[] Names(string record) => [.. File.ReadLines(record).Select(l => l.Split(' ')[0])];

    private static int[] Processes(string commandLine) => [.. ProcessTable.Find(commandLine)];
}
