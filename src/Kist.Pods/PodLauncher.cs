using Kist.Formats;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Pods.Agent;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Pods.Simulation;

namespace Kist.Pods;

/// <summary>Starts pods: prepares, measures, boots, and waits for the agent's first answer.</summary>
/// <param name="platform">Measures the guest and signs its evidence; null for a guest without a TEE, to which no broker gives anything.</param>
/// <param name="time">The clock for timing.</param>
public sealed class PodLauncher(ITrustPlatform? platform, TimeProvider time)
{
    private Task<(Accelerator Accelerator, string Reason)>? _probe;

    /// <summary>Starts a pod. Whatever goes wrong, nothing of it is left running.</summary>
    /// <exception cref="OperationFailedException">The machine cannot be started, or its agent does not answer in time.</exception>
    public async Task<RunningPod> LaunchAsync(PodSpec spec, IProgress<LaunchStep>? progress = null, CancellationToken cancellationToken = default)
    {
        if (spec.MemoryMebibytes < spec.Guest.MinimumMemoryMebibytes)
        {
            throw new OperationFailedException(
                "start pod", $"{spec.MemoryMebibytes} MiB of memory",
                $"the guest image needs at least {spec.Guest.MinimumMemoryMebibytes} MiB to unpack its initrd of {spec.Guest.Initrd.Length} bytes, and containers need more",
                "give the guest more memory");
        }

        var watch = new StepWatch(time, progress);
        var accelerator = spec.Accelerator ?? (await ProbeAsync(cancellationToken).ConfigureAwait(false)).Accelerator;
        watch.Finish("probe");
        var shape = Shape(spec, accelerator, simulated: platform is not null);
        watch.Finish("prepare");
        var domain = platform?.Launch(Inputs(spec));
        watch.Finish("measure");
        var machine = VirtualMachine.Start(shape);
        watch.Finish("start");
        PodAgentClient? agent = null;
        try
        {
            if (domain is not null)
                _ = new SimulatedTdxService(domain).ServeAsync(machine.Channel(PodPorts.Simulator).Open(), CancellationToken.None);
            agent = new PodAgentClient(machine.Channel(PodPorts.Agent).Open());
            var info = await FirstAnswerAsync(machine, agent, spec, cancellationToken).ConfigureAwait(false);
            watch.Finish("boot");
            return new RunningPod(machine, agent, domain, info, accelerator, watch.Steps);
        }
        catch
        {
            await machine.DisposeAsync().ConfigureAwait(false);
            if (agent is not null)
                await agent.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What measures a pod: the same values that predict its reference values.</summary>
    public static LaunchInputs Inputs(PodSpec spec) => new()
    {
        Firmware = spec.Guest.Firmware.Content,
        Kernel = spec.Guest.Kernel.Content,
        Initrd = spec.Guest.Initrd.Content,
        CommandLine = spec.Guest.Manifest.CommandLine,
        MemoryBytes = (ulong)spec.MemoryMebibytes << 20,
        VirtualCpus = spec.Cpus,
        MrConfigId = spec.InitData.IsEmpty ? default : InitDataToml.Parse(spec.InitData.Span).Field(TdxLaunchMeasurement.RegisterSize),
        // Command line and initrd are measured whatever the kernel's release: before 6.9 its own stub would not do it.
        Profile = TdxLaunchProfile.Simulated,
    };

    /// <summary>The machine of a pod.</summary>
    /// <param name="spec">The pod.</param>
    /// <param name="accelerator">What executes it.</param>
    /// <param name="simulated">True if a simulated platform listens to the guest.</param>
    public static MachineShape Shape(PodSpec spec, Accelerator accelerator, bool simulated = true) => new()
    {
        Guest = spec.Guest,
        MemoryMebibytes = spec.MemoryMebibytes,
        Cpus = spec.Cpus,
        Accelerator = accelerator,
        Doors = spec.Doors,
        Interfaces = spec.Interfaces,
        ReturnsMemory = spec.ReturnsMemory,
        Ports = simulated ? [PodPorts.Agent, PodPorts.Simulator] : [PodPorts.Agent],
        Disks = spec.Disks,
        Disk = spec.InitData.IsEmpty ? default : InitDataDisk.Write(spec.InitData.Span),
    };

    private Task<(Accelerator Accelerator, string Reason)> ProbeAsync(CancellationToken cancellationToken)
    {
        var probe = _probe;
        if (probe is null || probe.IsCanceled || probe.IsFaulted)
            _probe = probe = AcceleratorProbe.ChooseAsync(cancellationToken);
        return probe;
    }

    private static async Task<GuestInfo> FirstAnswerAsync(VirtualMachine machine, PodAgentClient agent, PodSpec spec, CancellationToken cancellationToken)
    {
        var answer = agent.GetGuestInfoAsync(spec.StartTimeout, cancellationToken);
        var first = await Task.WhenAny(answer, machine.Exited).ConfigureAwait(false);
        if (first == answer && answer.IsCompletedSuccessfully)
            return await answer.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (first == answer && answer.Exception?.InnerException is AgentCallException { Code: not FailureCode.Internal } refused)
            throw refused;
        var reason = machine.Exited.IsCompleted ? "the guest ended before its agent answered" : $"the agent did not answer within {spec.StartTimeout.TotalSeconds:0} s";
        throw new OperationFailedException("start pod", "guest", $"{reason}{LastLines("QEMU", machine.Complaints)}{LastLines("console", machine.Console)}");
    }

    private static string LastLines(string source, BoundedLog log)
    {
        var lines = log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 0 ? "" : $"; {source}: {string.Join(" | ", lines.TakeLast(5))}";
    }
}
