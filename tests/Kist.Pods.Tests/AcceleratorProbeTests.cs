using Kist.Pods.Machines;

namespace Kist.Pods.Tests;

public class AcceleratorProbeTests
{
    [Fact]
    public async Task Try_Tcg_RunsTheProbe()
    {
        Assert.SkipUnless(File.Exists(QemuProgram.Path), "QEMU is not installed");

        Assert.Null(await AcceleratorProbe.TryAsync(Accelerator.Tcg, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Choose_AnyMachine_TakesOneThatRunsTheProbe()
    {
        Assert.SkipUnless(File.Exists(QemuProgram.Path), "QEMU is not installed");

        var (accelerator, reason) = await AcceleratorProbe.ChooseAsync(TestContext.Current.CancellationToken);

        TestContext.Current.TestOutputHelper?.WriteLine(reason);
        Assert.Null(await AcceleratorProbe.TryAsync(accelerator, TestContext.Current.CancellationToken));
    }
}
