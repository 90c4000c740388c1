using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Pods.Agent;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Pods.Tests;

/// <summary>Real guests, booted under emulation.</summary>
[Collection("guests")]
public class GuestBootTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Launch_LessMemoryThanTheInitrdTakes_IsRefusedBeforeTheBoot()
    {
        using var image = await BuiltGuest.LoadAsync();
        var spec = new PodSpec { Guest = image, MemoryMebibytes = image.MinimumMemoryMebibytes - 1 };

        var refused = await Assert.ThrowsAsync<OperationFailedException>(() => new PodLauncher(null, TimeProvider.System).LaunchAsync(spec, null, Token));

        Assert.Contains($"needs at least {image.MinimumMemoryMebibytes} MiB to unpack its initrd of {image.Initrd.Length} bytes", refused.Message, StringComparison.Ordinal);
        // The tests' own guests have 256.
        Assert.InRange(image.MinimumMemoryMebibytes, 200, 256);
    }

    [Fact]
    public async Task Launch_WithInitData_AgentAnswersAndPowersOff()
    {
        using var image = await BuiltGuest.LoadAsync();
        var initData = Encoding.UTF8.GetBytes("algorithm = \"sha384\"\nversion = \"0.1.0\"\n[data]\n\"policy.rego\" = \"package agent_policy\"\n");
        var spec = new PodSpec { Guest = image, InitData = initData, MemoryMebibytes = 256 };
        await using var pod = await new PodLauncher(new SimulatedPlatform(), TimeProvider.System).LaunchAsync(spec, null, Token);

        Assert.Equal("tdx", pod.Info.Tee);
        Assert.True(pod.Info.Simulated);
        Assert.Equal(SHA384.HashData(initData), pod.Info.InitDataDigest.ToByteArray());
        Assert.True(pod.Info.PolicyFromInitData);
        var progress = await pod.Agent.GetProgressAsync(Token);
        foreach (var step in progress.Steps)
            TestContext.Current.TestOutputHelper?.WriteLine($"{step.Name} {step.Subject} {step.StartedMicroseconds} {step.EndedMicroseconds}");
        foreach (var step in pod.LaunchSteps)
            TestContext.Current.TestOutputHelper?.WriteLine($"{step.Name} {step.Duration.TotalMilliseconds:0} ms");
        TestContext.Current.TestOutputHelper?.WriteLine($"resident {pod.Info.AgentResidentBytes >> 10} KiB");
        Assert.Contains(progress.Steps, s => s is { Name: "boot.policy", Failed: false });
        Assert.InRange((long)pod.Info.AgentResidentBytes, 1, 24L << 20);

        var denied = await Assert.ThrowsAsync<AgentCallException>(
            () => pod.Agent.CreateSandboxAsync(new Kist.Pods.Protocol.Agent.CreateSandboxRequest { SandboxId = "pod" }, Token));
        Assert.Equal(FailureCode.PolicyDenied, denied.Code);
        var missing = await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.WaitProcessAsync("main", Token));
        Assert.Equal(FailureCode.ContainerNotFound, missing.Code);

        await pod.StopAsync(TimeSpan.Zero, Token);
        Assert.True(pod.Ended.IsCompleted);
        await Assert.ThrowsAsync<GuestLostException>(() => pod.Agent.GetGuestInfoAsync(Token));
    }

    [Fact]
    public async Task Launch_InitDataIsNotWhatWasMeasured_GuestRefusesToStart()
    {
        using var image = await BuiltGuest.LoadAsync();
        var initData = Encoding.UTF8.GetBytes("algorithm = \"sha384\"\nversion = \"0.1.0\"\n[data]\n\"policy.rego\" = \"package agent_policy\"\n");
        var launcher = new PodLauncher(new OtherInitData(new SimulatedPlatform()), TimeProvider.System);

        var refused = await Assert.ThrowsAsync<AgentCallException>(
            () => launcher.LaunchAsync(new PodSpec { Guest = image, InitData = initData, MemoryMebibytes = 256 }, null, Token));

        Assert.Equal(FailureCode.InitDataRefused, refused.Code);
        Assert.Contains("the host has changed it", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Launch_HostHangsUp_GuestPowersOff()
    {
        using var image = await BuiltGuest.LoadAsync();
        var machine = VirtualMachine.Start(PodLauncher.Shape(new PodSpec { Guest = image, MemoryMebibytes = 256 }, Accelerator.Tcg, simulated: false));
        await using (machine)
        {
            await using (var agent = new PodAgentClient(machine.Channel(PodPorts.Agent).Open()))
            {
                var info = await agent.GetGuestInfoAsync(TimeSpan.FromSeconds(90), Token);
                Assert.False(info.PolicyFromInitData);
            }

            // The channel is closed now; nobody ends QEMU from here.
            await machine.Exited.WaitAsync(TimeSpan.FromSeconds(60), Token);
        }
    }

    [Fact]
    public async Task Ended_MonitorIsKilled_CallsFailAsGuestLost()
    {
        using var image = await BuiltGuest.LoadAsync();
        await using var pod = await new PodLauncher(null, TimeProvider.System).LaunchAsync(new PodSpec { Guest = image, MemoryMebibytes = 256 }, null, Token);

        System.Diagnostics.Process.GetProcessById(pod.ProcessId).Kill();

        await Assert.ThrowsAsync<GuestLostException>(async () =>
        {
            while (true)
                await pod.Agent.GetProgressAsync(Token);
        });
        await pod.Ended.WaitAsync(TimeSpan.FromSeconds(10), Token);
    }

    [Fact]
    public async Task Launch_AgentDoesNotAnswerInTime_LeavesNoProcess()
    {
        using var image = await BuiltGuest.LoadAsync();
        var spec = new PodSpec { Guest = image, MemoryMebibytes = 257, StartTimeout = TimeSpan.FromMilliseconds(300) };
        await Assert.ThrowsAsync<OperationFailedException>(() => new PodLauncher(null, TimeProvider.System).LaunchAsync(spec, null, Token));
        // Tests of other classes run guests of other sizes at the same time.
        Assert.DoesNotContain(System.Diagnostics.Process.GetProcesses(), p => CommandLineOf(p.Id).Contains("\0-m\0257\0", StringComparison.Ordinal));
    }

    private static string CommandLineOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>Measures a launch with other init-data than the guest is handed.</summary>
    private sealed class OtherInitData(ITrustPlatform inner) : ITrustPlatform
    {
        public ITrustDomain Launch(Kist.Measurement.LaunchInputs inputs) => inner.Launch(inputs with { MrConfigId = SHA384.HashData("other"u8) });
    }
}
