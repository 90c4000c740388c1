using System.Net;
using Kist.Formats;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Disks;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>
/// What the owner decides before anything runs: the images by digest, the processes, the policy that pins both, the init-data
/// that carries it, and the machine.
/// </summary>
public sealed record WorkloadPlan
{
    /// <summary>The identifier of a single container.</summary>
    public const string ContainerId = "main";

    private const string WritableDisk = "writable-layer";

    private WorkloadPlan(IReadOnlyList<PlannedContainer> containers, string? hostname, PodSpec spec)
    {
        Containers = containers;
        Hostname = hostname;
        Spec = spec;
    }

    /// <summary>All containers, in the order in which they start.</summary>
    public IReadOnlyList<PlannedContainer> Containers { get; }

    /// <summary>The name of a pod of several containers; null for a single one.</summary>
    public string? Hostname { get; }

    /// <summary>The first container's image as the registry has it.</summary>
    public ResolvedImage Image => Containers[0].Image;

    /// <summary>What the policy allows of the first container.</summary>
    public PinnedContainer Container => Containers[0].Pinned;

    /// <summary>The machine, with the init-data.</summary>
    public PodSpec Spec { get; }

    /// <summary>What its owner should know before it runs.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Asks the registry for the image of a single container and decides.</summary>
    /// <exception cref="OperationFailedException">There is no such image, or it is in the clear and that was not allowed.</exception>
    public static async Task<WorkloadPlan> MakeAsync(
        RunRequest request, GuestImage guest, ServiceEndpoints endpoints, CancellationToken cancellationToken)
    {
        var container = await SingleContainerPlan.MakeAsync(request, cancellationToken).ConfigureAwait(false);
        return await ComposeAsync(request, [container], null, guest, endpoints, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts the policy for containers into init-data, and the init-data into a machine.</summary>
    /// <param name="request">The machine's shape, and what is allowed beside the containers themselves.</param>
    /// <param name="containers">The containers.</param>
    /// <param name="hostname">The pod's name; null for a single container.</param>
    /// <param name="guest">What boots.</param>
    /// <param name="endpoints">The broker.</param>
    /// <param name="cancellationToken">Ends the wait for names of registries.</param>
    /// <exception cref="OperationFailedException">A registry's name is not known.</exception>
    public static async Task<WorkloadPlan> ComposeAsync(
        RunRequest request, IReadOnlyList<PlannedContainer> containers, string? hostname, GuestImage guest, ServiceEndpoints endpoints, CancellationToken cancellationToken)
    {
        containers = [.. containers.Select(c => WithWritableLayer(request, c))];
        var images = containers.Select(c => c.Image).DistinctBy(i => i.ManifestDigest).ToList();
        var doors = await RegistryDoors.OpenAsync(new IPEndPoint(IPAddress.Loopback, endpoints.Broker.Port), images, request.Images, cancellationToken)
            .ConfigureAwait(false);
        foreach (var container in containers)
        {
            container.Create.RegistryDoors.AddRange(doors.Told);

            // Digests and decryption prove what is pulled from this machine's registry; TLS would end at the same host.
            container.Create.InsecureRegistry = RegistryAccess.IsPlain(container.Image.Reference, request.Images);
            container.Create.RegistryByDoor = true;
        }

        var ports = request.Published.Select(p => p.PodPort).Concat(request.AllowedPorts).ToList();
        var initData = InitDataDocument.Compose(
            endpoints.BrokerFromGuest, endpoints.BrokerCertificate, WorkloadPolicy.Write([.. containers.Select(c => c.Pinned)], request.AllowNetwork, ports),
            request.LearnFile is not null, request.Images);
        return new WorkloadPlan(containers, hostname, new PodSpec
        {
            Guest = guest,
            InitData = initData.Bytes,
            MemoryMebibytes = MachineSize.Mebibytes(request, images.Where(i => i.SealedBlobs is null).Sum(i => i.CompressedBytes)),
            Cpus = request.VirtualCpus,
            Doors = doors.Doors,
            StartTimeout = request.StartTimeout,
        });
    }

    /// <summary>The registers that a guest of this plan will show.</summary>
    public TdxReferenceValues Predict() => LaunchPredictor.Predict(PodLauncher.Inputs(Spec)).ToReferenceValues();

    /// <summary>What the host asks of the agent for the first container.</summary>
    public CreateContainerRequest ToCreateRequest() => Containers[0].Create.Clone();

    /// <summary>The disks of the containers' volumes.</summary>
    /// <param name="folder">Where the host keeps scratch while the guest runs.</param>
    public IEnumerable<GuestDisk> VolumeDisks(string folder) => Containers.SelectMany(c => c.Disks).DistinctBy(d => d.Serial)
        .Select(d => d.File is { } file ? (GuestDisk)new VolumeDisk(d.Serial, file) : new ScratchDisk(d.Serial, d.SizeBytes, folder));

    /// <summary>A container of a sealed image writes on an encrypted disk, unless its owner says otherwise; a read-only one has nothing to write.</summary>
    private static PlannedContainer WithWritableLayer(RunRequest request, PlannedContainer container)
    {
        var bytes = request.WritableBytes ?? (container.Image.SealedBlobs is null ? 0 : RunRequest.DefaultWritableBytes);
        if (container.Pinned.ReadOnlyRoot || bytes == 0)
            return container with { Pinned = container.Pinned with { WritableDisk = false } };
        container.Create.WritableDisk = WritableDisk;
        return container with { Pinned = container.Pinned with { WritableDisk = true }, Disks = [.. container.Disks, new RunDisk(WritableDisk, bytes, null)] };
    }
}
