using System.Diagnostics;

namespace Kist.Rune.Tests;

/// <summary>Debian's containerd with kist-rune in runc's place, its directories and address its own.</summary>
public sealed class ContainerdTests : IDisposable
{
    private readonly RuneBundle _bundle = new();
    private readonly Process _containerd;

    public ContainerdTests()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/containerd") && File.Exists("/usr/bin/ctr"), "containerd is not installed");
        var directory = Path.Combine(_bundle.Path, "containerd");
        Directory.CreateDirectory(directory);
        var configuration = Path.Combine(directory, "config.toml");
        File.WriteAllText(configuration, $"""
            version = 2
            root = "{directory}/root"
            state = "{directory}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
            address = "{Address}"
            """);
        var start = new ProcessStartInfo("/usr/bin/containerd", ["--config", configuration]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["KIST_RUNE_STATE"] = _bundle.State;
        _containerd = Process.Start(start)!;
        _containerd.BeginErrorReadLine();
        _containerd.BeginOutputReadLine();
        for (var i = 0; i < 200 && Ctr("version").ExitCode != 0; i++)
            Thread.Sleep(50);
    }

    private string Address => Path.Combine(_bundle.Path, "containerd", "c.sock");

    public void Dispose()
    {
        _containerd.Kill();
        _containerd.WaitForExit();
        _containerd.Dispose();
        _bundle.Dispose();
    }

    [Fact]
    public void Run_OrdinaryAndEnclaveContainer_UnderContainerd()
    {
        var ordinary = Run("ordinary", [], "/bin/sh", "-c", "echo ordinary; exit 4");
        Assert.True(ordinary is { ExitCode: 4, Output: "ordinary\n" }, ordinary.All);

        var enclave = Run("enclave", ["--annotation", "enclave.type=intelSgx"], "/bin/sh", "-c", "cat /etc/greeting; exit 6");
        Assert.True(enclave is { ExitCode: 6, Output: "hello from a trusted file\n" }, enclave.All);

        var byVariable = Run("variable", ["--env", "ENCLAVE_TYPE=intelSgx"], "/bin/sh", "-c", "echo \"[$ENCLAVE_TYPE]\"; cat /etc/greeting");
        Assert.True(byVariable is { ExitCode: 0, Output: "[]\nhello from a trusted file\n" }, byVariable.All);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_bundle.State, "containers")).SelectMany(scope => Directory.GetDirectories(scope)));
    }

    [Fact]
    public void Run_WhatCannotBeAnEnclave_SaysWhyThroughContainerd()
    {
        var refused = Run("refused", ["--annotation", "enclave.type=AwsNitroEnclaves"], "/bin/true");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("read enclave type: AwsNitroEnclaves: no such enclaves here", refused.Error, StringComparison.Ordinal);
    }

    private ToolResult Run(string id, string[] options, params string[] command) =>
        Ctr(["run", "--rm", "--runc-binary", RuneBundle.Program, .. options, "--rootfs", _bundle.Root, id, .. command]);

    private ToolResult Ctr(params string[] arguments) => Tool.Run("/usr/bin/ctr", ["--address", Address, .. arguments], _bundle.Variables);
}
