using Kist.Agent.Boot;
using Kist.Agent.GuestServices;
using Kist.Agent.Images;
using Kist.Agent.Policy;
using Kist.Agent.Volumes;
using Kist.Images;
using Kist.Images.Ocicrypt;
using Kist.Images.Sealed;
using Kist.Linux.Files;
using Kist.Linux.Processes;
using Kist.Oci;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Containers;

/// <summary>Makes a container of a request: pulls the image, asks the policy, writes the bundle.</summary>
sealed class ContainerFactory(Guest guest, ChildReaper reaper)
{
    private const uint DefaultPids = 4096;
    private const int MaximumHostname = 64;
    private const string RootName = "rootfs";

    private readonly ImageStore _images = new();
    private readonly WritableLayers _writable = new(new EncryptedScratch(reaper));

    public static string FolderOf(string id) => $"{FileSystems.Work}/containers/{FolderName.Of(id)}";

    public async Task<(Container Container, CreateContainerResponse Response)> CreateAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        var reference = ImageReference.Parse(request.Image);
        var folder = FolderOf(request.ContainerId);
        if (Directory.Exists(folder))
            throw new AgentException(FailureCode.InvalidRequest, "create container", request.ContainerId, "what an earlier container left is still there");
        Directory.CreateDirectory(folder);
        var lease = _images.Begin();
        try
        {
            var (image, process, bytes) = await PullAsync(request, reference, lease, cancellationToken);
            using var bundle = guest.Progress.Start("container.bundle", request.ContainerId);
            var caller = new Caller(request.ContainerId, NameOf(request));
            var plan = Plan(request, process, image.RootFileSystem, folder) with
            {
                Volumes = await guest.Services.PrepareVolumesAsync(caller, request.Volumes, folder, cancellationToken),
                Unsealed = await guest.Services.UnsealAsync(caller, process.Env, cancellationToken),
            };
            MountRoot(image.RootFileSystem, await WritableFolderAsync(request, folder), plan.RootFileSystem);
            WriteBundle(plan, folder);
            guest.Services.Open(caller, plan.ServicesFolder!);
            bundle.Finish();
            return (new Container(plan, folder, request.Stdin, lease, reaper), new CreateContainerResponse
            {
                ImageDigest = image.ManifestDigest.ToString(),
                Encrypted = image.EncryptedLayers == image.Layers && image.Layers > 0,
                ImageBytes = (ulong)bytes,
            });
        }
        catch
        {
            Abandon(request.ContainerId, folder);
            lease.Dispose();
            throw;
        }
    }

    /// <summary>The process that an executed one becomes, once it is merged with the container's first.</summary>
    public static ExecPlan Merge(Container container, ExecProcessRequest request)
    {
        var plan = container.Plan;
        var process = ContainerProcess.Merge(
            new ImageProcessDefaults([], [], plan.Process.Env, plan.Process.Cwd, plan.Process.User),
            new ProcessOverrides(
                [.. request.Arguments], [], [.. request.Environment.Select(e => $"{e.Name}={e.Value}")], request.WorkingDirectory, request.User));
        var user = process.User == plan.Process.User ? plan.User : ContainerUser.Resolve(process.User, plan.RootFileSystem);
        return new ExecPlan(process, user, request.Tty, request.Capabilities is { } set ? [.. set.Names] : plan.Capabilities, plan.Hostname) { Unsealed = plan.Unsealed };
    }

    private async Task<(PulledImage Image, ContainerProcess Process, long Bytes)> PullAsync(
        CreateContainerRequest request, ImageReference reference, ImageStore.Lease lease, CancellationToken cancellationToken)
    {
        ContainerProcess? process = null;
        PullCandidate? approved = null;
        var steps = new PullProgressSteps(guest.Progress);
        using var pull = guest.Progress.Start("image.pull", reference.ToString());
        try
        {
            var options = new PullOptions
            {
                Policy = await guest.Images.PolicyAsync(request, cancellationToken),
                Approve = (candidate, _) =>
                {
                    approved = candidate;
                    process = ContainerProcess.Merge(DefaultsOf(candidate.Config), OverridesOf(request));
                    guest.Policy.Require(PolicyRules.CreateContainer, InputOf(request, reference, candidate, process).Write);
                    return Task.CompletedTask;
                },
                FindUnpacked = async (digest, token) =>
                {
                    var root = await lease.FindAsync(digest.ToString(), token);
                    if (root is null)
                        await guest.RecordImageAsync(reference.ToString(), digest.ToString(), token);
                    return root;
                },
            };
            using var repository = new RegistryRepository(reference, await guest.Images.RegistryAsync(request, reference, cancellationToken));
            var chain = await ImageReader.ResolveChainAsync(repository, options.Platform, cancellationToken);
            var image = SealedPuller.IsSealed(chain)
                ? await MountAsync(request, repository, chain, reference, lease, options, cancellationToken)
                : await ImagePuller.PullAsync(
                    repository, chain, [new KeyPacketUnwrapper(guest.Keys, options.AllowUnauthenticatedWrap)], lease.Folder, options, steps, cancellationToken);
            lease.Finish();
            pull.Finish();
            return (image, process!, approved!.ContentBytes);
        }
        catch
        {
            steps.Abandon();
            throw;
        }
    }

    /// <summary>Mounts a sealed image from the host's disks, unless another container of the pod has it mounted.</summary>
    private async Task<PulledImage> MountAsync(
        CreateContainerRequest request, RegistryRepository repository, IReadOnlyList<ManifestContent> chain, ImageReference reference, ImageStore.Lease lease,
        PullOptions options, CancellationToken cancellationToken)
    {
        using (var modules = guest.Progress.Start("image.modules"))
        {
            GuestModules.LoadStorage();
            modules.Finish();
        }

        var sealedOptions = options with
        {
            BeforeKeys = (digest, token) => guest.RecordImageAsync(reference.ToString(), digest.ToString(), token),
            FindUnpacked = (digest, token) => lease.FindAsync(digest.ToString(), token),
        };
        var (image, mount) = await SealedPuller.MountAsync(
            repository, chain, guest.Keys, new SealedMountPlace($"kist-{lease.Name}", lease.Folder) { DiskOfBlob = DisksOf(request) }, sealedOptions, cancellationToken);
        if (mount is not null)
            lease.Hold(mount);
        return image;
    }

    /// <summary>What the host says of its disks: at most as many as an image can have.</summary>
    private static Dictionary<string, string> DisksOf(CreateContainerRequest request)
    {
        if (request.ImageDisks.Count > SealedManifest.MaxBlobs || request.ImageDisks.DistinctBy(d => d.Blob).Count() < request.ImageDisks.Count)
            throw new AgentException(FailureCode.InvalidRequest, "attach sealed image", request.ContainerId, "too many disks, or one blob on two of them");
        return request.ImageDisks.ToDictionary(d => d.Blob, d => d.Disk, StringComparer.Ordinal);
    }

    private async Task<string> WritableFolderAsync(CreateContainerRequest request, string folder)
    {
        using var step = guest.Progress.Start("container.writable-layer", request.ContainerId);
        var writable = await _writable.FolderAsync(request.WritableDisk, request.ContainerId, folder);
        step.Finish();
        return writable;
    }

    /// <summary>A container's root: the image, which stays as it is for the pod's other containers, below what the container writes.</summary>
    private static void MountRoot(string image, string writable, string root)
    {
        var (upper, work) = (Path.Combine(writable, "upper"), Path.Combine(writable, "work"));
        foreach (var path in (string[])[upper, work, root])
            Directory.CreateDirectory(path);
        // The root directory is the upper one's: it must have the mode and owner of the image's.
        using (var parent = DirectoryHandle.Open(Path.GetDirectoryName(image)!))
        {
            var status = parent.Status(System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(image)))!.Value;
            FilePermissions.SetPath(upper, status.User, status.Group, (uint)status.Permissions);
        }

        Mounts.Mount("overlay", root, "overlay", MountOptions.NoDevices, $"lowerdir={image},upperdir={upper},workdir={work}");
    }

    private void Abandon(string id, string folder)
    {
        var root = Path.Combine(folder, RootName);
        if (MountEntry.ReadAll().Any(m => m.Path == root))
            Mounts.Detach(root);
        Remove(id);
    }

    /// <summary>Deletes a container's folder and what it wrote, whatever its image put there.</summary>
    public void Remove(string id)
    {
        _writable.Remove(id);
        using var parent = DirectoryHandle.Open($"{FileSystems.Work}/containers");
        parent.RemoveTree(System.Text.Encoding.UTF8.GetBytes(FolderName.Of(id)));
    }

    private static ImageProcessDefaults DefaultsOf(ImageConfiguration image) => new(
        image.Config?.EntryPoint ?? [], image.Config?.Command ?? [], image.Config?.Environment ?? [], image.Config?.WorkingDirectory ?? "",
        image.Config?.User ?? "");

    private static ProcessOverrides OverridesOf(CreateContainerRequest request) => new(
        request.EntrypointOverride ? [.. request.Entrypoint] : null, [.. request.Arguments],
        [.. request.Environment.Select(e => $"{e.Name}={e.Value}")], request.WorkingDirectory, request.User);

    private ContainerPlan Plan(CreateContainerRequest request, ContainerProcess process, string image, string folder) => new()
    {
        Id = request.ContainerId,
        Name = NameOf(request),
        Capabilities = CapabilitiesOf(request),
        RootFileSystem = Path.Combine(folder, RootName),
        Process = process,
        User = ContainerUser.Resolve(process.User, image),
        Hostname = HostnameOf(request),
        Terminal = request.Tty,
        ReadOnlyRoot = request.ReadOnlyRoot,
        MemoryBytes = request.Limits?.MemoryBytes ?? 0,
        CpuMillis = request.Limits?.CpuMillis ?? 0,
        Pids = request.Limits is { Pids: > 0 } limits ? limits.Pids : DefaultPids,
        CpuShares = request.Limits?.CpuShares ?? 0,
        SharedMemory = guest.Sandbox.SharedMemory,
        EtcFolder = folder,
        ServicesFolder = Path.Combine(folder, "services"),
    };

    private string HostnameOf(CreateContainerRequest request) =>
        guest.Sandbox.Hostname.Length > 0 ? guest.Sandbox.Hostname
        : request.Hostname.Length > 0 ? request.Hostname
        : request.ContainerId[..Math.Min(request.ContainerId.Length, MaximumHostname)];

    private static string NameOf(CreateContainerRequest request) => request.Name.Length > 0 ? request.Name : request.ContainerId;

    private void WriteBundle(ContainerPlan plan, string folder)
    {
        // Root owns them and everybody may read them: they are mounted into the container.
        File.WriteAllText(Path.Combine(folder, "hostname"), plan.Hostname + "\n");
        File.WriteAllText(Path.Combine(folder, "hosts"), $"127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t{plan.Hostname}\n");
        var dns = guest.Sandbox.Dns;
        File.WriteAllText(
            Path.Combine(folder, "resolv.conf"), dns.Count > 0 ? string.Join('\n', dns) + "\n" : "# The pod's network has no name server.\n");
        File.WriteAllBytes(Path.Combine(folder, "config.json"), RuntimeSpecWriter.Write(plan));
    }

    private static IReadOnlyList<string> CapabilitiesOf(CreateContainerRequest request) =>
        request.Capabilities is { } set ? [.. set.Names] : DefaultCapabilities.Names;

    private CreateContainerInput InputOf(
        CreateContainerRequest request, ImageReference reference, PullCandidate image, ContainerProcess process) => new()
        {
            ContainerId = request.ContainerId,
            ContainerName = NameOf(request),
            ImageReference = reference.Name,
            ManifestDigest = image.ManifestDigest.ToString(),
            ConfigDigest = image.ConfigDigest.ToString(),
            Encrypted = image.Layers > 0 && image.EncryptedLayers == image.Layers,
            Sealed = image.Sealed is { } facts ? new SealedInput(facts.Revision, facts.Author ?? "") : null,
            Overrides = OverridesOf(request),
            Process = process,
            Terminal = request.Tty,
            Capabilities = CapabilitiesOf(request),
            ReadOnlyRoot = request.ReadOnlyRoot,
            WritableOnDisk = request.WritableDisk.Length > 0,
            Hostname = HostnameOf(request),
            MemoryBytes = request.Limits?.MemoryBytes ?? 0,
            CpuMillis = request.Limits?.CpuMillis ?? 0,
            Pids = request.Limits?.Pids ?? 0,
            Volumes = [.. request.Volumes.Select(VolumeInput.Of)],
            Pod = guest.Containers.State(),
        };
}
