using System.Globalization;
using Kist.Formats;
using Kist.Images.Secrets;
using Kist.Oci;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>The plan for the one container that a request itself describes.</summary>
static class SingleContainerPlan
{
    /// <exception cref="OperationFailedException">There is no such image, or it is in the clear and that was not allowed.</exception>
    public static async Task<PlannedContainer> MakeAsync(RunRequest request, CancellationToken cancellationToken)
    {
        var image = await ResolvedImage.ResolveAsync(ImageReference.Parse(request.Image), RegistryAccess.For(request.Images), cancellationToken).ConfigureAwait(false);
        Check(request, image);
        var volumes = request.Volumes.Select((v, i) => v.ToVolume(NameOfVolume(i))).ToList();
        var pinned = Pin(request, volumes, image);
        return new PlannedContainer
        {
            Pinned = pinned,
            Image = image,
            Create = CreateRequest(request, pinned, volumes),
            Restart = request.Restart,
            Disks = [.. request.Volumes.Select((v, i) => v.ToDisk(NameOfVolume(i))).OfType<RunDisk>()],
        };
    }

    private static void Check(RunRequest request, ResolvedImage image)
    {
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

        if (request.ExecCommands.Any(g => g.Container is not null) || request.Services.Any(g => g.Container is not null))
            throw new OperationFailedException("grant", request.Image, "a container is named, and there is only one", "leave its name out");
    }

    private static CreateContainerRequest CreateRequest(RunRequest request, PinnedContainer pinned, IReadOnlyList<Volume> volumes)
    {
        var create = new CreateContainerRequest
        {
            ContainerId = pinned.Name,
            Image = pinned.Reference,
            EntrypointOverride = request.Entrypoint is not null,
            WorkingDirectory = request.WorkingDirectory,
            User = request.User,
            Tty = request.Terminal,
            Stdin = request.Interactive,
            ReadOnlyRoot = request.ReadOnly,
            Limits = new ResourceLimits { MemoryBytes = (ulong)request.MemoryLimitBytes, CpuMillis = (uint)request.CpuMillis },
        };
        create.Arguments.AddRange(request.Arguments);
        if (request.Entrypoint is { } entrypoint)
            create.Entrypoint.Add(entrypoint);
        create.Environment.AddRange(request.Environment.Select(EnvironmentEntry.Parse));
        create.Volumes.AddRange(volumes);
        return create;
    }

    private static PinnedContainer Pin(RunRequest request, IReadOnlyList<Volume> volumes, ResolvedImage image)
    {
        var overrides = new ProcessOverrides(
            request.Entrypoint is { } entrypoint ? [entrypoint] : null, request.Arguments, request.Environment, request.WorkingDirectory, request.User);
        var reference = $"{image.Reference.Name}@{image.ManifestDigest}";
        var digest = image.ManifestDigest.ToString();
        var pinned = image.SealedBlobs is null
            ? PinnedContainer.Of(WorkloadPlan.ContainerId, reference, digest, image.IsEncrypted, ContainerProcess.Merge(image.Defaults, overrides))
            : new PinnedContainer
            {
                Name = WorkloadPlan.ContainerId,
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
            Services = [.. request.Services.Select(g => g.Value), .. SealedServices(request, volumes)],
            Volumes = [.. volumes.Select(v => new PinnedVolume(VolumeInput.Of(v)))],
            Exec = [.. request.ExecCommands.Select(g => g.Value)],
            ExecAny = request.AllowExec,
        };
    }

    private static string NameOfVolume(int index) => string.Create(CultureInfo.InvariantCulture, $"volume-{index}");

    /// <summary>What the owner hands in sealed, the container may have unsealed.</summary>
    private static IEnumerable<PinnedService> SealedServices(RunRequest request, IReadOnlyList<Volume> volumes) =>
        request.Environment.Select(e => e[(e.IndexOf('=', StringComparison.Ordinal) + 1)..])
            .Concat(volumes.SelectMany(v => v.Files?.Files.Select(f => f.Content) ?? []).Where(c => SealedSecret.IsSealed(c.Span)).Select(c => c.ToStringUtf8().TrimEnd('\n')))
            .Where(t => SealedSecret.IsSealed(t)).Select(PinnedService.OfSealed).Distinct();
}
