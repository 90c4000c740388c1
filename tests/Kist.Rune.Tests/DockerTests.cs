using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Kist.Rune.Tests;

/// <summary>Debian's dockerd with kist-rune as a runtime of its own, all its directories and its socket the test's.</summary>
public sealed class DockerTests : IDisposable
{
    private const string Daemon = "/usr/sbin/dockerd", Client = "/usr/bin/docker";
    private const string Image = "kist-test:1";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly RuneBundle _bundle = new();
    private readonly string _directory;
    private readonly Process? _daemon;

    public DockerTests()
    {
        Assert.SkipUnless(File.Exists(Daemon) && File.Exists(Client), "docker.io is not installed");
        _directory = Directory.CreateDirectory(Path.Combine(_bundle.Path, "docker")).FullName;
        try
        {
            _daemon = StartDaemon();
            var started = Stopwatch.StartNew();
            while (Docker("version").ExitCode != 0)
            {
                Assert.SkipWhen(_daemon.HasExited || started.Elapsed > s_patience, $"dockerd does not run on this machine: {Log}");
                Thread.Sleep(100);
            }

            var imported = Tool.Run("/bin/sh", ["-c", $"tar -C '{_bundle.Root}' -c . | {Client} --host unix://{Socket} import - {Image}"]);
            Assert.True(imported.ExitCode == 0, imported.All);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private string Socket => Path.Combine(_directory, "docker.sock");

    private string Log => File.Exists(Path.Combine(_directory, "log")) ? string.Join('\n', File.ReadLines(Path.Combine(_directory, "log")).TakeLast(3)) : "";

    public void Dispose()
    {
        if (_daemon is not null)
        {
            if (!_daemon.HasExited)
            {
                foreach (var id in Docker("ps", "--all", "--quiet").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                    Docker("rm", "--force", id);
                Linux.Processes.Signals.Send(_daemon.Id, 15);
                if (!_daemon.WaitForExit(TimeSpan.FromSeconds(20)))
                    _daemon.Kill(entireProcessTree: true);
            }

            _daemon.Dispose();
        }

        // dockerd leaves the mounts of its network namespaces.
        foreach (var mount in Mounts().Reverse())
            Tool.Run("/bin/umount", ["--lazy", mount]);
        _bundle.Dispose();
    }

    [Fact]
    public void Run_OrdinaryAndEnclaveContainer_UnderDocker()
    {
        var ordinary = Run("--rm", [], "/bin/sh", "-c", "echo ordinary; exit 4");
        Assert.True(ordinary is { ExitCode: 4, Output: "ordinary\n" }, ordinary.All);
        var enclave = Run("--rm", ["--env", "ENCLAVE_TYPE=intelSgx"], "/bin/sh", "-c", "cat /etc/greeting; echo \"[$ENCLAVE_TYPE]\"; exit 6");
        Assert.True(enclave is { ExitCode: 6, Output: "hello from a trusted file\n[]\n" }, enclave.All);
        var refused = Run("--rm", ["--env", "ENCLAVE_TYPE=Jailhouse"], "/bin/true");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("read enclave type: Jailhouse: no such enclaves here", refused.Error, StringComparison.Ordinal);
        AssertNoContainers();
    }

    [Fact]
    public void LifeOfAnEnclaveContainer_UnderDocker()
    {
        var started = Run(
            "--detach", ["--name", "kist", "--env", "ENCLAVE_TYPE=intelSgx", "--env", """KIST_ENCLAVE_EXEC=[["/bin/echo","listed"],["/bin/cat"]]"""],
            "/bin/sh", "-c", "echo started; trap 'echo told to end; exit 3' TERM; while :; do sleep 1; done");
        Assert.True(started.ExitCode == 0, started.All);
        WaitForLog("started\n");

        Assert.Equal("listed\n", Require("exec", "kist", "/bin/echo", "listed").Output);
        Assert.Equal("typed", Tool.Run(Client, ["--host", $"unix://{Socket}", "exec", "--interactive", "kist", "/bin/cat"], input: "typed").Output);
        Assert.NotEqual(0, Docker("exec", "kist", "/bin/echo", "not listed").ExitCode);
        Assert.Contains("kist-enclave", Require("top", "kist").Output, StringComparison.Ordinal);
        var statistics = JsonNode.Parse(Require("stats", "--no-stream", "--format", "{{json .}}", "kist").Output)!;
        Assert.True(int.Parse(statistics["PIDs"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture) > 1, statistics.ToJsonString());

        Require("pause", "kist");
        Assert.Equal("paused", Status());
        Require("unpause", "kist");
        Require("update", "--memory", "512m", "--memory-swap", "512m", "kist");

        Require("stop", "--time", "20", "kist");
        Assert.Equal("exited 3", $"{Status()} {Inspect(".State.ExitCode")}");
        Assert.EndsWith("told to end\n", Require("logs", "kist").Output, StringComparison.Ordinal);

        Require("start", "kist");
        WaitForLog("started\ntold to end\nstarted\n");
        Require("restart", "--time", "20", "kist");
        WaitForLog("started\ntold to end\nstarted\ntold to end\nstarted\n");
        Require("kill", "--signal", "KILL", "kist");
        WaitFor("exited");
        Assert.Equal("137", Inspect(".State.ExitCode"));
        Require("rm", "kist");
        AssertNoContainers();
    }

    private void WaitForLog(string text)
    {
        var log = "";
        for (var i = 0; i < 600 && (log = Docker("logs", "kist").Output) != text; i++)
            Thread.Sleep(50);
        Assert.Equal(text, log);
    }

    private void WaitFor(string status)
    {
        for (var i = 0; i < 200 && Status() != status; i++)
            Thread.Sleep(50);
        Assert.Equal(status, Status());
    }

    private string Status() => Inspect(".State.Status");

    private string Inspect(string field) => Require("inspect", "--format", $"{{{{{field}}}}}", "kist").Output.Trim();

    /// <summary>docker's client says that a container has ended before its runtime has deleted it.</summary>
    private void AssertNoContainers()
    {
        string[] Left() => [.. Directory.GetDirectories(Path.Combine(_bundle.State, "containers")).SelectMany(scope => Directory.GetDirectories(scope))];
        for (var i = 0; i < 100 && Left().Length > 0; i++)
            Thread.Sleep(50);
        Assert.Empty(Left());
    }

    private ToolResult Run(string how, string[] options, params string[] program) =>
        Docker(["run", how, "--network", "none", "--runtime", "kist", .. options, Image, .. program]);

    private ToolResult Require(params string[] arguments)
    {
        var result = Docker(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.All}");
        return result;
    }

    private ToolResult Docker(params string[] arguments) => Tool.Run(Client, ["--host", $"unix://{Socket}", .. arguments]);

    private Process StartDaemon()
    {
        string In(string name) => Path.Combine(_directory, name);
        File.WriteAllText(In("daemon.json"), "{}");
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec {Daemon} \"$@\" > '{In("log")}' 2>&1", "sh",
            "--config-file", In("daemon.json"), "--data-root", In("data"), "--exec-root", In("run"), "--pidfile", In("pid"),
            "--host", $"unix://{Socket}", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--storage-driver", "vfs",
            "--add-runtime", $"kist={RuneBundle.Program}"]);
        start.Environment["KIST_RUNE_STATE"] = _bundle.State;
        return Process.Start(start)!;
    }

    private IEnumerable<string> Mounts() => _directory is null ? [] :
        File.ReadLines("/proc/self/mountinfo").Select(l => l.Split(' ')[4]).Where(p => p.StartsWith(_directory + "/", StringComparison.Ordinal));
}
