using System.Diagnostics;
using System.Text.Json;

namespace Kist.EndToEnd;

/// <summary>kist run and its companions behave as docker's do, on a real guest.</summary>
public sealed class RunTests(Installation installation)
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private Task<ProgramResult> RunAsync(params string[] arguments) =>
        installation.Require().Kist.RunAsync(["run", "--rm", .. arguments]);

    [Fact]
    public async Task Run_ImagesOwnCommand_PrintsItsOutput()
    {
        var result = await RunAsync("--name", "plain", installation.Require().Image);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("hello from the guest\n", result.Stdout);
        Assert.DoesNotContain("plain", await installation.ContainersAsync());
    }

    [Fact]
    public async Task Run_Overrides_ReachTheProgram()
    {
        var result = await RunAsync(
            "-e", "GIVEN=a b=c", "-w", "/tmp", "-u", "app", "--name", "overrides", installation.Require().Image,
            "sh", "-c", "pwd; id -u; id -g; echo $GIVEN; echo $FROM_IMAGE; echo to stderr >&2; exit 42");
        Assert.True(result.ExitCode == 42, result.ToString());
        Assert.Equal("/tmp\n1000\n1000\na b=c\nyes\n", result.Stdout);
        Assert.EndsWith("to stderr\n", result.Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Interactive_PassesInputToItsEnd()
    {
        var input = string.Join('\n', Enumerable.Range(0, 20_000)) + "\n";
        var result = await installation.Require().Kist.RunWithInputAsync(input, "run", "--rm", "-i", installation.Image, "cat");
        Assert.True(result.ExitCode == 0, result.ToString()[..Math.Min(2000, result.ToString().Length)]);
        Assert.Equal(input, result.Stdout);
    }

    [Fact]
    public async Task Run_MissingAndBrokenProgram_Give127And126()
    {
        Assert.Equal(127, (await RunAsync(installation.Require().Image, "/bin/nonexistent")).ExitCode);
        Assert.Equal(126, (await RunAsync(installation.Image, "/etc/secret")).ExitCode);
    }

    [Fact]
    public async Task Run_MemoryLimit_EndsWhatExceedsIt()
    {
        var result = await RunAsync("-m", "32m", installation.Require().Image, "tail", "-c", "100000000", "/dev/zero");
        Assert.True(result.ExitCode == 137, result.ToString());
    }

    [Fact]
    public async Task Run_Detached_CanBeListedReadStoppedAndRemoved()
    {
        var image = installation.Require().Image;
        var id = (await installation.MustAsync("run", "-d", "--name", "detached", image, "sh", "-c", "trap 'echo stopping; exit 7' TERM; echo started; while :; do sleep 0.1; done")).Trim();
        Assert.Equal(64, id.Length);

        using (var list = JsonDocument.Parse(await installation.MustAsync("ps", "--json")))
        {
            var container = Assert.Single(list.RootElement.EnumerateArray(), c => c.GetProperty("name").GetString() == "detached");
            Assert.Equal("running", container.GetProperty("status").GetString());
            Assert.Equal("simulated tdx", container.GetProperty("platform").GetString());
        }

        await installation.MustAsync("stop", "detached");
        Assert.Equal("7\n", await installation.MustAsync("wait", "detached"));
        Assert.Equal("started\nstopping\n", await installation.MustAsync("logs", "detached"));
        await installation.MustAsync("rm", "detached");
        Assert.DoesNotContain("detached", await installation.ContainersAsync());
    }

    [Fact]
    public async Task Run_Terminated_SignalReachesProgramAndNothingIsLeft()
    {
        using var run = installation.Require().Kist.Start(
            "run", "--rm", "--name", "signalled", installation.Image, "sh", "-c", "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.1; done");
        var ready = await run.StandardOutput.ReadLineAsync(Cancel);
        Assert.Equal("ready", ready);
        var below = ProcessTree.Below(run.Id);
        Assert.NotEmpty(below);
        Send("TERM", run.Id);
        var result = await KistProgram.FinishAsync(run);
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Equal("got it\n", result.Stdout);
        Assert.Empty(await ProcessTree.SurvivorsAsync(below));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(1500)]
    [InlineData(4000)]
    [InlineData(9000)]
    public async Task Run_InterruptedWhileStarting_LeavesNothing(int milliseconds)
    {
        // Other tests run containers beside this one.
        var name = $"interrupted-{milliseconds}";
        using var run = installation.Require().Kist.Start("run", "--rm", "--name", name, installation.Image, "sleep", "60");
        await Task.Delay(milliseconds, Cancel);
        var below = ProcessTree.Below(run.Id);
        Send("INT", run.Id);
        await KistProgram.FinishAsync(run);
        Assert.Empty(await ProcessTree.SurvivorsAsync(below));
        Assert.DoesNotContain(name, await installation.ContainersAsync());
    }

    [Fact]
    public async Task Run_KilledOutright_GuestEndsAndStateIsReconciled()
    {
        using var run = installation.Require().Kist.Start("run", "--rm", "--name", "killed", installation.Image, "sh", "-c", "echo ready; sleep 60");
        Assert.Equal("ready", await run.StandardOutput.ReadLineAsync(Cancel));
        var below = ProcessTree.Below(run.Id);
        run.Kill();
        await run.WaitForExitAsync(Cancel);
        Assert.Empty(await ProcessTree.SurvivorsAsync(below));
        Assert.DoesNotContain("killed", await installation.ContainersAsync());
    }

    [Fact]
    public async Task Run_UnknownImage_SaysWhichStepAndWhatToDo()
    {
        var result = await RunAsync($"{installation.Require().Endpoints.Registry}/nothing:v1");
        Assert.Equal(125, result.ExitCode);
        Assert.Contains("nothing", result.Stderr, StringComparison.Ordinal);
        Assert.Empty(result.Stdout);
    }

    private static void Send(string signal, int pid) => Process.Start("kill", ["-s", signal, $"{pid}"])!.WaitForExit();
}
