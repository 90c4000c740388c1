namespace Kist.Rune.Tests;

/// <summary>Debian's podman with kist-rune in crun's place, its storage its own.</summary>
public sealed class PodmanTests : IDisposable
{
    private const string Podman = "/usr/bin/podman";

    private readonly RuneBundle _bundle = new();
    private readonly string _runtime;

    public PodmanTests()
    {
        Assert.SkipUnless(File.Exists(Podman), "podman is not installed");
        // podman's monitor passes no variables of the caller on.
        _runtime = Path.Combine(_bundle.Path, "kist-rune");
        File.WriteAllText(_runtime, $"#!/bin/sh\nKIST_RUNE_STATE={_bundle.State} exec {RuneBundle.Program} \"$@\"\n");
        File.SetUnixFileMode(_runtime, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose()
    {
        Run("rm", "--all", "--force");
        _bundle.Dispose();
    }

    [Fact]
    public void Run_OrdinaryAndEnclaveContainer_UnderPodman()
    {
        var ordinary = Container("run", "--rm", [], "/bin/sh", "-c", "echo ordinary; exit 4");
        Assert.True(ordinary is { ExitCode: 4, Output: "ordinary\n" }, ordinary.All);
        var enclave = Container("run", "--rm", ["--annotation", "enclave.type=intelSgx"], "/bin/sh", "-c", "cat /etc/greeting; exit 6");
        Assert.True(enclave is { ExitCode: 6, Output: "hello from a trusted file\n" }, enclave.All);
    }

    [Fact]
    public void LifeOfAnEnclaveContainer_UnderPodman()
    {
        var started = Container(
            "run", "--detach", ["--name", "kist", "--log-driver", "k8s-file", "--annotation", "enclave.type=intelSgx", "--annotation", "\"kist.enclave.exec=[[\"\"/bin/echo\"\",\"\"listed\"\"]]\""], "/bin/sh", "-c", "echo started; exec sleep 60");
        Assert.True(started.ExitCode == 0, started.All);
        ToolResult listed = default!;
        for (var i = 0; i < 100 && (listed = Run("exec", "kist", "/bin/echo", "listed")).ExitCode != 0; i++)
            Thread.Sleep(50);
        Assert.True(listed is { ExitCode: 0, Output: "listed\n" }, listed.All);
        Assert.NotEqual(0, Run("exec", "kist", "/bin/echo", "not listed").ExitCode);
        Assert.Contains("sleep 60", Run("top", "kist").Output, StringComparison.Ordinal);
        Assert.Equal("started\n", Run("logs", "kist").Output);
        Assert.Equal(0, Run("restart", "--time", "1", "kist").ExitCode);
        for (var i = 0; i < 100 && Run("logs", "kist").Output != "started\nstarted\n"; i++)
            Thread.Sleep(50);
        Assert.Equal("started\nstarted\n", Run("logs", "kist").Output);
        Assert.Equal(0, Run("kill", "--signal", "USR1", "kist").ExitCode);
        Assert.Equal("138\n", Run("wait", "kist").Output);
        Assert.Equal(0, Run("start", "kist").ExitCode);
        Assert.Equal(0, Run("stop", "--time", "1", "kist").ExitCode);
        Assert.Equal(0, Run("rm", "kist").ExitCode);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_bundle.State, "containers")).SelectMany(scope => Directory.GetDirectories(scope)));
    }

    /// <summary>Limits are given because podman's own are above what this machine may have.</summary>
    private ToolResult Container(string command, string how, string[] options, params string[] program) =>
        Run([command, how, "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", .. options, "--rootfs", _bundle.Root, .. program]);

    private ToolResult Run(params string[] arguments) => Tool.Run(
        Podman,
        [
            "--root", Path.Combine(_bundle.Path, "storage"), "--runroot", Path.Combine(_bundle.Path, "podman"), "--storage-driver", "vfs",
            "--runtime", _runtime, "--cgroup-manager", "cgroupfs", "--events-backend", "none", .. arguments,
        ]);
}
