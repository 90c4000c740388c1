using System.Collections.Concurrent;
using Google.Protobuf;
using Kist.Formats;
using Kist.Host;
using Kist.Oci;
using Kist.Pods.Guest;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Kubernetes;

/// <summary>
/// Plans a pod of a manifest for <c>kist run -f</c>: the same policy as for a cluster, except that nothing is left to a
/// cluster: the pod's name and addresses are known, there is no service account, and nobody adds variables.
/// </summary>
public static class PodRunPlanner
{
    private const string DefaultRestart = "Always";

    /// <summary>Plans it; see <see cref="WorkloadPlanner"/>.</summary>
    /// <exception cref="OperationFailedException">Something in the manifests was refused, or an image cannot be found.</exception>
    /// <exception cref="MalformedDataException">A manifest is not what the API wants.</exception>
    public static async Task<WorkloadPlan> MakeAsync(RunRequest request, GuestImage guest, ServiceEndpoints endpoints, CancellationToken cancellationToken)
    {
        var images = new ConcurrentDictionary<string, ResolvedImage>(StringComparer.Ordinal);
        var (containers, hostname, review) = await PlanAsync(request, ResolveAsync, cancellationToken).ConfigureAwait(false);
        var plan = await WorkloadPlan.ComposeAsync(request, containers, hostname, guest, endpoints, cancellationToken).ConfigureAwait(false);
        return plan with { Warnings = [.. review.Remarks.Select(r => $"{r.Place}: {r.Reason}")] };

        async Task<ResolvedImage> ResolveAsync(string reference, CancellationToken token)
        {
            if (images.TryGetValue(reference, out var known))
                return known;
            return images[reference] = await ResolvedImage.ResolveAsync(ImageReference.Parse(reference), request.Images, token).ConfigureAwait(false);
        }
    }

    internal static async Task<(IReadOnlyList<PlannedContainer> Containers, string Hostname, ManifestReview Review)> PlanAsync(
        RunRequest request, Func<string, CancellationToken, Task<ResolvedImage>> images, CancellationToken cancellationToken)
    {
        var review = new ManifestReview();
        var set = new ManifestSet();
        foreach (var manifest in request.Manifests)
            set.Add(manifest.Text, manifest.Source, review);
        var workload = set.Workloads.Count == 1
            ? set.Workloads[0]
            : throw new OperationFailedException("run pod", request.Image, $"the manifests have {set.Workloads.Count} objects that make pods", "give one Pod, or one object with a pod's template");
        var found = new Dictionary<string, ResolvedImage>(StringComparer.Ordinal);
        var generator = new PodPolicyGenerator(set, OptionsOf(request), RememberAsync, review);
        var pinned = await generator.PinAsync(workload, cancellationToken).ConfigureAwait(false);
        review.ThrowIfRefused();
        var spec = workload.Template.Child("spec");
        var restart = RestartRule.OfPod(spec.OptionalText("restartPolicy") ?? DefaultRestart);
        var manifests = spec.Children("initContainers").Select(c => (Manifest: c, IsInit: true)).Concat(spec.Children("containers").Select(c => (Manifest: c, IsInit: false)));
        return ([.. pinned.Zip(manifests, (p, m) => Plan(p, m.Manifest, m.IsInit))], pinned[0].Hostname!.Example, review);

        async Task<ResolvedImage> RememberAsync(string reference, CancellationToken token)
        {
            var image = await images(reference, token).ConfigureAwait(false);
            return found[image.ManifestDigest.ToString()] = image;
        }

        PlannedContainer Plan(PinnedContainer container, ManifestObject manifest, bool isInit)
        {
            var isSidecar = isInit && manifest.OptionalText("restartPolicy") == "Always";
            var disks = new List<RunDisk>();
            return new PlannedContainer
            {
                Image = found[container.ManifestDigest],
                Create = CreateRequest(container, manifest, generator.FileContents, disks),
                Pinned = container,
                IsInit = isInit && !isSidecar,
                IsSidecar = isSidecar,
                Restart = isSidecar ? new RestartRule(RestartCondition.Always) : isInit ? RestartRule.Never : restart,
                Disks = disks,
            };
        }
    }

    private static GenerateOptions OptionsOf(RunRequest request) => new()
    {
        IsLocal = true,
        Exec = request.ExecCommands,
        AllowAnyExec = request.AllowExec,
        Services = request.Services,
        // Whoever runs the pod reads what it prints, and is who writes to containers that ask for input.
        AllowLogs = true,
        AllowAttach = true,
        AllowPlainImages = request.AllowPlainImage,
        AllowClusterSecrets = request.AllowClusterSecrets,
    };

    private static CreateContainerRequest CreateRequest(
        PinnedContainer container, ManifestObject manifest, IReadOnlyDictionary<string, byte[]> contents, List<RunDisk> disks)
    {
        var create = new CreateContainerRequest
        {
            ContainerId = container.Name,
            Name = container.Name,
            Image = container.Reference,
            EntrypointOverride = true,
            Entrypoint = { container.Args.Select(a => a.Example) },
            Environment = { container.Env.Where(e => e.IsRequired).Select(e => EnvironmentEntry.Parse(e.Example)) },
            WorkingDirectory = container.Cwd,
            User = container.Users[0],
            Tty = container.Terminal,
            Stdin = container.Input,
            Hostname = container.Hostname!.Example,
            ReadOnlyRoot = container.ReadOnlyRoot,
            Capabilities = new CapabilitySet { Names = { container.Capabilities ?? DefaultCapabilities.Names } },
            Limits = LimitsOf(manifest),
        };
        if (container.Overrides is { } overrides)
            Ask(create, overrides);
        create.Volumes.AddRange(container.Volumes.Select(v => VolumeOf(v.Volume, contents, disks)));
        return create;
    }

    /// <summary>Of a sealed image nobody here knows what it says of the process: only what replaces that is asked for.</summary>
    private static void Ask(CreateContainerRequest create, ProcessOverrides overrides)
    {
        create.EntrypointOverride = overrides.Entrypoint is not null;
        create.Entrypoint.Clear();
        create.Entrypoint.AddRange(overrides.Entrypoint ?? []);
        create.Arguments.AddRange(overrides.Arguments);
        create.Environment.Clear();
        create.Environment.AddRange(overrides.Environment.Select(EnvironmentEntry.Parse));
        create.WorkingDirectory = overrides.WorkingDirectory;
        create.User = overrides.User;
    }

    private static Volume VolumeOf(VolumeInput input, IReadOnlyDictionary<string, byte[]> contents, List<RunDisk> disks)
    {
        var volume = new Volume { Name = input.Name, MountPath = input.MountPath, ReadOnly = input.ReadOnly };
        if (input.Kind == "files")
        {
            volume.Files = new FilesVolume
            {
                Files = { input.Files.Select(f => new VolumeFile { Path = f.Path, Mode = f.Mode, Content = ByteString.CopyFrom(contents[f.Digest]) }) },
            };
            return volume;
        }

        volume.Scratch = new ScratchVolume { SizeBytes = input.SizeBytes };
        // Scratch of a size is an encrypted disk; without one it is the guest's memory, as policies allow, too.
        if (input.Kind == "scratch" && input.SizeBytes >= RunVolume.SmallestDiskBytes)
        {
            volume.Scratch.Disk = ScratchDiskNames.SerialOf(input.Name);
            disks.Add(new RunDisk(volume.Scratch.Disk, (long)input.SizeBytes, null));
        }

        return volume;
    }

    private static ResourceLimits LimitsOf(ManifestObject container)
    {
        var limits = container.OptionalChild("resources")?.OptionalChild("limits");
        return new ResourceLimits
        {
            MemoryBytes = limits?.OptionalScalar("memory") is { } memory ? Quantity.Bytes(memory, limits.PlaceOf("memory")) : 0,
            CpuMillis = limits?.OptionalScalar("cpu") is { } cpu ? Quantity.Thousandths(cpu, limits.PlaceOf("cpu")) : 0,
        };
    }
}
