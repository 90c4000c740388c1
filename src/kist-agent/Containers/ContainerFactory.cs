using System.Security.Cryptography.X509Certificates;
using Kist.Agent.Boot;
using Kist.Agent.Images;
using Kist.Agent.Policy;
using Kist.Images;
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

    public static string FolderOf(string id) => $"{FileSystems.Work}/containers/{id}";

    public async Task<(Container Container, CreateContainerResponse Response)> CreateAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        if (request.Volumes.Count > 0)
            throw new AgentException(FailureCode.InvalidRequest, "create container", request.ContainerId, "this agent mounts no volumes");
        var reference = ImageReference.Parse(request.Image);
        var folder = FolderOf(request.ContainerId);
        Directory.CreateDirectory(folder);
        ContainerProcess? process = null;
        PullCandidate? approved = null;
        var steps = new PullProgressSteps(guest.Progress);
        using var pull = guest.Progress.Start("image.pull", reference.ToString());
        try
        {
            var options = new PullOptions
            {
                Approve = async (candidate, token) =>
                {
                    approved = candidate;
                    process = Merge(candidate.Config, request);
                    guest.Policy.Require(PolicyRules.CreateContainer, InputOf(request, reference, candidate, process).Write);
                    await guest.RecordImageAsync(reference.ToString(), candidate.ManifestDigest.ToString(), token);
                },
            };
            var registry = new RegistryOptions
            {
                PlainHttp = request.InsecureRegistry,
                CertificateAuthorities = [.. guest.Configuration.RegistryAuthoritiesPem.Select(p => X509Certificate2.CreateFromPem(p))],
            };
            var image = await ImagePuller.PullAsync(reference, registry, guest.Keys, folder, options, steps, cancellationToken);
            pull.Finish();
            using var bundle = guest.Progress.Start("container.bundle", request.ContainerId);
            var plan = Plan(request, process!, image.RootFileSystem, folder);
            WriteBundle(plan, folder);
            bundle.Finish();
            return (new Container(plan, folder, request.Stdin, reaper), new CreateContainerResponse
            {
                ImageDigest = image.ManifestDigest.ToString(),
                Encrypted = image.EncryptedLayers == image.Layers && image.Layers > 0,
                ImageBytes = (ulong)approved!.ContentBytes,
            });
        }
        catch
        {
            steps.Abandon();
            Remove(request.ContainerId);
            throw;
        }
    }

    /// <summary>Deletes a container's folder, whatever its image put there.</summary>
    public static void Remove(string id)
    {
        using var parent = DirectoryHandle.Open($"{FileSystems.Work}/containers");
        parent.RemoveTree(System.Text.Encoding.UTF8.GetBytes(id));
    }

    private static ContainerProcess Merge(ImageConfiguration image, CreateContainerRequest request)
    {
        var config = image.Config;
        return ContainerProcess.Merge(
            new ImageProcessDefaults(
                config?.EntryPoint ?? [], config?.Command ?? [], config?.Environment ?? [], config?.WorkingDirectory ?? "", config?.User ?? ""),
            new ProcessOverrides(
                request.EntrypointOverride ? [.. request.Entrypoint] : null, [.. request.Arguments],
                [.. request.Environment.Select(e => $"{e.Name}={e.Value}")], request.WorkingDirectory, request.User));
    }

    private static ContainerPlan Plan(CreateContainerRequest request, ContainerProcess process, string root, string folder) => new()
    {
        Id = request.ContainerId,
        Name = NameOf(request),
        Capabilities = CapabilitiesOf(request),
        RootFileSystem = root,
        Process = process,
        User = ContainerUser.Resolve(process.User, root),
        Hostname = HostnameOf(request),
        Terminal = request.Tty,
        ReadOnlyRoot = request.ReadOnlyRoot,
        MemoryBytes = request.Limits?.MemoryBytes ?? 0,
        CpuMillis = request.Limits?.CpuMillis ?? 0,
        Pids = request.Limits is { Pids: > 0 } limits ? limits.Pids : DefaultPids,
        EtcFolder = folder,
    };

    private static string HostnameOf(CreateContainerRequest request) => request.Hostname.Length > 0 ? request.Hostname : request.ContainerId;

    private static string NameOf(CreateContainerRequest request) => request.Name.Length > 0 ? request.Name : request.ContainerId;

    private static void WriteBundle(ContainerPlan plan, string folder)
    {
        // Root owns them and everybody may read them: they are mounted into the container.
        File.WriteAllText(Path.Combine(folder, "hostname"), plan.Hostname + "\n");
        File.WriteAllText(Path.Combine(folder, "hosts"), $"127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t{plan.Hostname}\n");
        File.WriteAllText(Path.Combine(folder, "resolv.conf"), "# The pod's network has no name server.\n");
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
        Process = process,
        Terminal = request.Tty,
        Capabilities = CapabilitiesOf(request),
        ReadOnlyRoot = request.ReadOnlyRoot,
        Hostname = HostnameOf(request),
        MemoryBytes = request.Limits?.MemoryBytes ?? 0,
        CpuMillis = request.Limits?.CpuMillis ?? 0,
        Pids = request.Limits?.Pids ?? 0,
        Volumes = [.. request.Volumes.Select(VolumeInput.Of)],
        Pod = guest.Containers.State(),
    };
}
