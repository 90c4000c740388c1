namespace Kist.Rune.Tests;

/// <summary>Debian's containerd with kist-rune in runc's place.</summary>
public sealed class ContainerdTests : IDisposable
{
    private readonly RuneBundle _bundle = new();
    private readonly LocalContainerd _containerd;

    public ContainerdTests() => _containerd = new LocalContainerd(_bundle);

    public void Dispose()
    {
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

    [Fact]
    public void Exec_OfAnEnclaveContainer_UnderContainerd()
    {
        _containerd.Require(
            "run", "--detach", "--runc-binary", RuneBundle.Program, "--annotation", "enclave.type=intelSgx",
            "--annotation", "kist.enclave.exec=[[\"/bin/echo\",\"listed\"]]", "--rootfs", _bundle.Root, "exec", "/bin/sleep", "60");
        ToolResult listed = default!;
        for (var i = 0; i < 100 && (listed = Exec("listed")).ExitCode != 0; i++)
            Thread.Sleep(50);
        Assert.True(listed is { ExitCode: 0, Output: "listed\n" }, listed.All);
        Assert.NotEqual(0, Exec("not listed").ExitCode);
        _containerd.Require("task", "kill", "--signal", "9", "exec");
        for (var i = 0; i < 100 && _containerd.Ctr("task", "delete", "exec").ExitCode != 137; i++)
            Thread.Sleep(50);
        _containerd.Require("container", "delete", "exec");
        Assert.Empty(Directory.GetDirectories(Path.Combine(_bundle.State, "containers")).SelectMany(scope => Directory.GetDirectories(scope)));
    }

    private ToolResult Exec(string argument) => _containerd.Ctr("task", "exec", "--exec-id", $"e{Guid.NewGuid():N}", "exec", "/bin/echo", argument);

    private ToolResult Run(string id, string[] options, params string[] command) =>
        _containerd.Ctr(["run", "--rm", "--runc-binary", RuneBundle.Program, .. options, "--rootfs", _bundle.Root, id, .. command]);
}
