using System.Globalization;
using System.Net;
using Kist.Formats;
using Kist.Images.Secrets;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Disks;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>
/// What the owner decides before anything runs: the image by digest, the process, the policy that pins both, the init-data
/// that carries it, and the machine.
/// </summary>
public sealed class WorkloadPlan
{
    /// <summary>The identifier of a pod's only container.</summary>
    public const string ContainerId = "main";

    private readonly RunRequest _request;
    private readonly IReadOnlyList<Volume> _volumes;

    private WorkloadPlan(RunRequest request, IReadOnlyList<Volume> volumes, ResolvedImage image, PinnedContainer container, PodSpec spec)
    {
        _request = request;
        _volumes = volumes;
        Image = image;
        Container = container;
        Spec = spec;
    }

    /// <summary>The image as the registry has it.</summary>
    public ResolvedImage Image { get; }

    /// <summary>What the policy allows.</summary>
    public PinnedContainer Container { get; }

    /// <summary>The machine, with the init-data.</summary>
    public PodSpec Spec { get; }

    /// <summary>Asks the registry for the image and decides.</summary>
    /// <exception cref="OperationFailedException">There is no such image, or it is in the clear and that was not allowed.</exception>
    public static async Task<WorkloadPlan> MakeAsync(
        RunRequest request, GuestImage guest, ServiceEndpoints endpoints, CancellationToken cancellationToken)
    {
        var image = await ResolvedImage.ResolveAsync(ImageReference.Parse(request.Image), RegistryAccess.For(request.Images), cancellationToken).ConfigureAwait(false);
        if (!image.IsEncrypted && !request.AllowPlainImage)
        {
            throw new OperationFailedException(
                "check image", request.Image, $"{image.Layers - image.EncryptedLayers} of its {image.Layers} layers are not encrypted: the host can read them",
                $"encrypt it: kist image encrypt {request.Image} DESTINATION, or run it in the clear with --allow-plain-image");
        }

        if (image.SealedBlobs is null && (request.MinimumRevision > 0 || request.Author.Length > 0))
        {
            throw new OperationFailedException(
                "check image", request.Image, "an author or a minimum revision was demanded, and only sealed images have them",
                $"seal it: kist image seal {request.Image} DESTINATION --sign FILE --revision N");
        }

        var volumes = request.Volumes.Select((v, i) => v.ToVolume(NameOfVolume(i))).ToList();
        var container = Pin(request, volumes, image);
        var initData = InitDataDocument.Compose(
            endpoints.BrokerFromGuest, endpoints.BrokerCertificate, WorkloadPolicy.Write([container], request.AllowNetwork), request.LearnFile is not null, request.Images);
        return new WorkloadPlan(request, volumes, image, container, new PodSpec
        {
            Guest = guest,
            InitData = initData.Bytes,
            MemoryMebibytes = MachineSize.Mebibytes(request, image.SealedBlobs is null ? image.CompressedBytes : 0),
            Cpus = request.VirtualCpus,
            Doors = [Door(new IPEndPoint(IPAddress.Loopback, endpoints.Broker.Port)), Door(await RegistryAccess.EndPointAsync(image.Reference, cancellationToken).ConfigureAwait(false))],
            StartTimeout = request.StartTimeout,
        });
    }

    /// <summary>The registers that a guest of this plan will show.</summary>
    public TdxReferenceValues Predict() => LaunchPredictor.Predict(PodLauncher.Inputs(Spec)).ToReferenceValues();

    /// <summary>What the host asks of the agent.</summary>
    public CreateContainerRequest ToCreateRequest()
    {
        var create = new CreateContainerRequest
        {
            ContainerId = ContainerId,
            Image = Container.Reference,
            EntrypointOverride = _request.Entrypoint is not null,
            WorkingDirectory = _request.WorkingDirectory,
            User = _request.User,
            Tty = _request.Terminal,
            Stdin = _request.Interactive,
            ReadOnlyRoot = _request.ReadOnly,

            // Digests and decryption prove what is pulled from this machine's registry; TLS would end at the same host.
            InsecureRegistry = RegistryAccess.IsPlain(Image.Reference, _request.Images),
            RegistryByDoor = true,
            Limits = new ResourceLimits { MemoryBytes = (ulong)_request.MemoryLimitBytes, CpuMillis = (uint)_request.CpuMillis },
        };
        create.Arguments.AddRange(_request.Arguments);
        if (_request.Entrypoint is { } entrypoint)
            create.Entrypoint.Add(entrypoint);
        create.Environment.AddRange(_request.Environment.Select(Variable));
        create.Volumes.AddRange(_volumes);
        return create;
    }

    private static PinnedContainer Pin(RunRequest request, IReadOnlyList<Volume> volumes, ResolvedImage image)
    {
        var overrides = new ProcessOverrides(
            request.Entrypoint is { } entrypoint ? [entrypoint] : null, request.Arguments, request.Environment, request.WorkingDirectory, request.User);
        var reference = $"{image.Reference.Name}@{image.ManifestDigest}";
        var digest = image.ManifestDigest.ToString();
        var pinned = image.SealedBlobs is null
            ? PinnedContainer.Of(ContainerId, reference, digest, image.IsEncrypted, ContainerProcess.Merge(image.Defaults, overrides))
            : new PinnedContainer
            {
                Name = ContainerId,
                Reference = reference,
                ManifestDigest = digest,
                Encrypted = true,
                Seal = new PinnedSeal(request.MinimumRevision, request.Author),
                Overrides = overrides,
            };
        return pinned with
        {
            Terminal = request.Terminal,
            Input = request.Interactive,
            ReadOnlyRoot = request.ReadOnly,
            Services = [.. request.Services, .. SealedServices(request, volumes)],
            Volumes = [.. volumes.Select(v => new PinnedVolume(VolumeInput.Of(v)))],
            ExecAny = request.AllowExec,
        };
    }

    /// <summary>Scratch disks of the volumes.</summary>
    /// <param name="folder">Where the host keeps them while the guest runs.</param>
    public IEnumerable<ScratchDisk> ScratchDisks(string folder) => _request.Volumes.Select((v, i) => v.ToDisk(NameOfVolume(i), folder)).OfType<ScratchDisk>();

    private static string NameOfVolume(int index) => string.Create(CultureInfo.InvariantCulture, $"volume-{index}");

    /// <summary>What the owner hands in sealed, the container may have unsealed.</summary>
    private static IEnumerable<PinnedService> SealedServices(RunRequest request, IReadOnlyList<Volume> volumes) =>
        request.Environment.Select(e => e[(e.IndexOf('=', StringComparison.Ordinal) + 1)..])
            .Concat(volumes.SelectMany(v => v.Files?.Files.Select(f => f.Content) ?? []).Where(c => SealedSecret.IsSealed(c.Span)).Select(c => c.ToStringUtf8().TrimEnd('\n')))
            .Where(t => SealedSecret.IsSealed(t)).Select(PinnedService.OfSealed).Distinct();

    private static GuestDoor Door(IPEndPoint service) => new(service.Port, service);

    private static EnvironmentVariable Variable(string entry)
    {
        var separator = entry.IndexOf('=', StringComparison.Ordinal);
        return new EnvironmentVariable { Name = entry[..separator], Value = entry[(separator + 1)..] };
    }
}
