using System.Diagnostics;

namespace Kist.Rune.Tests;

/// <summary>Debian's containerd with directories and an address of its own.</summary>
sealed class LocalContainerd : IDisposable
{
    private readonly RuneBundle _bundle;
    private readonly Process _process;

    public LocalContainerd(RuneBundle bundle)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/containerd") && File.Exists("/usr/bin/ctr"), "containerd is not installed");
        _bundle = bundle;
        var directory = Directory.CreateDirectory(Path.Combine(bundle.Path, "containerd")).FullName;
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
        start.Environment["KIST_RUNE_STATE"] = bundle.State;
        _process = Process.Start(start)!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        for (var i = 0; i < 200 && Ctr("version").ExitCode != 0; i++)
            Thread.Sleep(50);
    }

    public string Address => Path.Combine(_bundle.Path, "containerd", "c.sock");

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        foreach (var shim in Shims())
            Linux.Processes.Signals.Send(shim, Linux.Processes.Signals.Kill);
    }

    /// <summary>The shims of its containers.</summary>
    public int[] Shims() => [.. ProcessTable.Find($"-address\0{Address}\0")];

    public ToolResult Ctr(params string[] arguments) => Tool.Run("/usr/bin/ctr", ["--address", Address, .. arguments], _bundle.Variables);

    public ToolResult Require(params string[] arguments)
    {
        var result = Ctr(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.All}");
        return result;
    }
}
