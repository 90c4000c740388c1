using System.Globalization;
using System.Net;
using Kist.Formats;
using Kist.Host;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Disks;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol.Agent;
using Kist.Shim.Bundles;
using Kist.Shim.Network;

namespace Kist.Shim.Launching;

/// <summary>Starts the virtual machine of a pod.</summary>
internal sealed class PodStarter(ShimArguments arguments, ShimConfiguration configuration, ShimLog log, TimeProvider time) : IAsyncDisposable
{
    /// <summary>What firmware, kernel, agent and a small image take, besides what the containers may use.</summary>
    private const int OverheadMebibytes = 256;

    private readonly StateDirectory _state = configuration.OpenState();
    private PodDisks? _disks;

    private PodDisks Disks => _disks ??= new PodDisks(_state, configuration, log);

    public TimeSpan Timeout => TimeSpan.FromSeconds(configuration.StartTimeoutSeconds);

    /// <summary>Starts it, and says what to ask the agent for if it is a single container's.</summary>
    /// <exception cref="OperationFailedException">It cannot be started, or nobody has said what it may run.</exception>
    public async Task<StartedPod> StartAsync(Bundle bundle, PodNetwork? network, CancellationToken cancellationToken)
    {
        if (bundle.InitData() is { } initData)
            return await StartWithInitDataAsync(bundle, network, initData, cancellationToken).ConfigureAwait(false);
        if (configuration.Development is { } development && bundle.Kind == TaskKind.Single)
            return await StartForOwnerAsync(bundle, network, development, cancellationToken).ConfigureAwait(false);
        throw new OperationFailedException(
            "start pod", bundle.Id, "it has no init-data: nobody has said what may run in it",
            $"give the annotation {Annotations.InitData} (kist policy generate writes it), or, for single containers where host and owner are the same person, "
            + "allow \"development\" in the shim's configuration");
    }

    /// <summary>A container in a pod that runs.</summary>
    public async Task<CreateContainerRequest> RequestAsync(Bundle bundle, CancellationToken cancellationToken)
    {
        var image = await ImageNames.OfAsync(bundle, arguments, cancellationToken).ConfigureAwait(false);
        var request = ContainerRequests.Of(bundle, ImageNames.InGuest(image, configuration), configuration);
        await Disks.AttachAsync(request, image, cancellationToken).ConfigureAwait(false);
        return request;
    }

    /// <summary>What to tell of a container whose disks showed other blocks than its image's.</summary>
    public IEnumerable<string> Describe(IReadOnlyList<string> corrupted) => _disks?.Describe(corrupted) ?? [];

    /// <summary>Lets go of the pod's disks, after its machine.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disks, null) is { } disks)
            await disks.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<StartedPod> StartWithInitDataAsync(Bundle bundle, PodNetwork? network, byte[] initData, CancellationToken cancellationToken)
    {
        var single = bundle.Kind == TaskKind.Single ? await RequestAsync(bundle, cancellationToken).ConfigureAwait(false) : null;
        using var guest = GuestImage.Load(configuration.Guest ?? _state.Guest);
        var spec = new PodSpec
        {
            Guest = guest,
            InitData = initData,
            MemoryMebibytes = MemoryOf(bundle),
            Cpus = bundle.FindNumber(Annotations.Processors) ?? configuration.Cpus,
            Doors = [.. configuration.Doors.Select(d => new GuestDoor(int.Parse(d.Key, NumberStyles.None, CultureInfo.InvariantCulture), IPEndPoint.Parse(d.Value)))],
            // Kept where the state is, and without a name: the disks end with the guest, which encrypts them.
            Disks = [.. ScratchDiskNames.Read(bundle.Find(ScratchDiskNames.Annotation)).Select(d => new ScratchDisk(ScratchDiskNames.SerialOf(d.Key), d.Value, Path.Combine(_state.Root, "scratch")))],
            Accelerator = configuration.Machine,
            StartTimeout = Timeout,
        };
        return new StartedPod(await LaunchAsync(spec, network, cancellationToken).ConfigureAwait(false), single);
    }

    /// <summary>As <c>kist run</c>: the owner, who is here, pins what is asked for and registers it before anything starts.</summary>
    private async Task<StartedPod> StartForOwnerAsync(
        Bundle bundle, PodNetwork? network, DevelopmentConfiguration development, CancellationToken cancellationToken)
    {
        var endpoints = ServiceEndpoints.Require(_state);
        var image = await ImageNames.OfAsync(bundle, arguments, cancellationToken).ConfigureAwait(false);
        using var guest = GuestImage.Load(configuration.Guest ?? _state.Guest);
        var plan = await WorkloadPlan.MakeAsync(OwnersRequest(bundle, image, development), guest, endpoints, cancellationToken).ConfigureAwait(false);
        await BrokerRegistrar.Connect(endpoints).RegisterAsync($"containerd-{bundle.Id}", plan.Predict(), cancellationToken).ConfigureAwait(false);
        var request = ContainerRequests.Of(bundle, ImageReference.Parse(plan.Container.Reference), configuration);
        request.Name = WorkloadPlan.ContainerId;
        request.InsecureRegistry = true;
        request.RegistryByDoor = true;
        request.RegistryDoors.AddRange(plan.ToCreateRequest().RegistryDoors);
        // As the plan pins it: a sealed image's policy compares what is asked for, not what comes of it.
        request.Entrypoint.Clear();
        request.Entrypoint.Add(bundle.Spec.Process.Args[0]);
        request.Arguments.AddRange(bundle.Spec.Process.Args.Skip(1));
        await Disks.AttachAsync(request, image, cancellationToken).ConfigureAwait(false);
        var pod = await LaunchAsync(plan.Spec with { Accelerator = configuration.Machine }, network, cancellationToken).ConfigureAwait(false);
        return new StartedPod(pod, request);
    }

    private RunRequest OwnersRequest(Bundle bundle, ImageReference image, DevelopmentConfiguration development)
    {
        var process = bundle.Spec.Process;
        if (process.Args.Count == 0)
            throw new OperationFailedException("start pod", bundle.Id, "its process has no arguments");
        return new RunRequest
        {
            Image = image.ToString(),
            Entrypoint = process.Args[0],
            Arguments = [.. process.Args.Skip(1)],
            Environment = process.Env,
            WorkingDirectory = process.Cwd,
            User = ContainerRequests.UserOf(process),
            // Whether input is there is known when the task is made; who may write it is the owner, who is here.
            Interactive = true,
            Terminal = process.Terminal,
            ReadOnly = bundle.Spec.Root.Readonly,
            MachineMemoryBytes = bundle.FindNumber(Annotations.Memory) is { } mebibytes ? (long)mebibytes << 20 : 0,
            MemoryLimitBytes = (long)ContainerRequests.LimitsOf(bundle.Spec.Linux.Resources).MemoryBytes,
            VirtualCpus = bundle.FindNumber(Annotations.Processors) ?? configuration.Cpus,
            AllowPlainImage = development.AllowPlainImages,
            AllowExec = development.AllowExec,
            AllowNetwork = development.AllowNetwork,
            StartTimeout = Timeout,
        };
    }

    /// <summary>
    /// The memory is part of what is measured, so that its owner says it where it matters; otherwise the pod gets what its
    /// containers may use, and what the guest itself takes.
    /// </summary>
    private int MemoryOf(Bundle bundle) => bundle.FindNumber(Annotations.Memory)
        ?? (long.TryParse(bundle.Find(Annotations.SandboxMemory), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes > 0
            ? Math.Max(configuration.MemoryMebibytes, (int)Math.Min((bytes >> 20) + OverheadMebibytes, int.MaxValue))
            : configuration.MemoryMebibytes);

    private async Task<RunningPod> LaunchAsync(PodSpec spec, PodNetwork? network, CancellationToken cancellationToken)
    {
        var platform = new SimulatedTrustPlatform(new SimulatorStore(_state).LoadOrCreateVendor());
        var pod = await new PodLauncher(platform, time).LaunchAsync(
            spec with { Interfaces = network?.Interfaces ?? [], Disks = [.. spec.Disks, .. Disks.All], ReturnsMemory = configuration.ReturnMemory },
            null, cancellationToken).ConfigureAwait(false);
        try
        {
            if (network is not null)
                await network.ConfigureAsync(pod.Agent, cancellationToken).ConfigureAwait(false);
            return pod;
        }
        catch
        {
            await pod.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
