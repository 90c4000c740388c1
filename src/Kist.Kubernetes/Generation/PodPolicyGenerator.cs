using Kist.Formats;
using Kist.Host;
using Kist.Pods.Protocol;

namespace Kist.Kubernetes;

/// <summary>Pins the containers of a workload's pods, before anything runs.</summary>
/// <param name="set">All manifests.</param>
/// <param name="options">What the owner allows.</param>
/// <param name="images">Looks an image up, by the reference that the manifest gives.</param>
/// <param name="review">Receives refusals and warnings.</param>
public sealed class PodPolicyGenerator(
    ManifestSet set, GenerateOptions options, Func<string, CancellationToken, Task<ResolvedImage>> images, ManifestReview review)
{
    private readonly Dictionary<string, byte[]> _contents = new(StringComparer.Ordinal);

    /// <summary>The content of the volumes' files, by digest ("sha256:…").</summary>
    public IReadOnlyDictionary<string, byte[]> FileContents => _contents;

    /// <summary>
    /// The containers of a workload, init containers first. Meaningless if the review has refusals afterwards.
    /// </summary>
    /// <exception cref="MalformedDataException">The manifest is not what the API wants.</exception>
    /// <exception cref="OperationFailedException">An image cannot be found.</exception>
    public async Task<IReadOnlyList<PinnedContainer>> PinAsync(Workload workload, CancellationToken cancellationToken)
    {
        var spec = workload.Template.Child("spec");
        PodFields.Pod.Check(spec, review);
        if (spec.OptionalChild("securityContext") is { } security)
            PodFields.PodSecurity.Check(security, review);
        var facts = new PodFacts(workload, options.Namespace, options.IsLocal);
        var volumes = new PodVolumes(set, spec, facts, options, review, _contents);
        var pinned = new List<PinnedContainer>();
        var (completed, started) = (new List<string>(), new List<string>());
        foreach (var container in spec.Children("initContainers"))
        {
            var init = await PinAsync(spec, container, facts, volumes, cancellationToken).ConfigureAwait(false);
            pinned.Add(init with { AfterCompletion = [.. completed], AfterStart = [.. started] });
            // An init container that restarts always is a sidecar: the next waits for its start only.
            (container.OptionalText("restartPolicy") == "Always" ? started : completed).Add(init.Name);
        }

        foreach (var container in spec.Children("containers"))
        {
            var main = await PinAsync(spec, container, facts, volumes, cancellationToken).ConfigureAwait(false);
            pinned.Add(main with { AfterCompletion = [.. completed], AfterStart = [.. started] });
        }

        CheckNames(spec, pinned);
        return pinned;
    }

    private async Task<PinnedContainer> PinAsync(
        ManifestObject spec, ManifestObject container, PodFacts facts, PodVolumes volumes, CancellationToken cancellationToken)
    {
        PodFields.Container.Check(container, review);
        var name = container.Text("name");
        var image = await images(container.Text("image"), cancellationToken).ConfigureAwait(false);
        var isSecret = options.IsLocal && !image.HasConfiguration;
        if (!image.HasConfiguration && !isSecret)
            review.Refuse(container.PlaceOf("image"), "the configuration of a sealed image cannot be read here, and with it what would run", "name what it was sealed from: --image REF=sealed:IMAGE=oci:DIR:TAG");
        else if (image.SealedBlobs is not null && !isSecret)
            review.Warn(container.PlaceOf("image"), "the policy shows the host what the sealed image's configuration keeps secret: arguments, environment, directory and user");
        else if (!image.IsEncrypted && !options.AllowPlainImages)
        {
            review.Refuse(
                container.PlaceOf("image"), $"{image.Layers - image.EncryptedLayers} of its {image.Layers} layers are not encrypted: the host can read them",
                "encrypt it: kist image encrypt, or accept that: --allow-plain-images");
        }

        var environment = new PodEnvironment(set, facts, options, review);
        environment.Read(container);
        var security = new PodSecurity(spec, container, review, options.IsLocal);
        var mounts = volumes.Mounts(container);
        return new PinnedContainer
        {
            Name = name,
            Reference = $"{image.Reference.Name}@{image.ManifestDigest}",
            ManifestDigest = image.ManifestDigest.ToString(),
            Encrypted = image.IsEncrypted,
            Seal = image.SealedBlobs is null ? null : new PinnedSeal(0, ""),
            WritableDisk = image.SealedBlobs is not null,
            Overrides = isSecret ? OverridesOf(container, environment, security) : null,
            Args = isSecret ? [] : ArgsOf(container, image, environment),
            Env = environment.Pin(image.Defaults, spec.OptionalFlag("enableServiceLinks") ?? true),
            Cwd = CwdOf(container, image),
            Users = security.Users(image.Defaults.User, container.PlaceOf()),
            Terminal = container.Flag("tty"),
            Input = container.Flag("stdin") && options.AllowAttach,
            Output = options.AllowLogs,
            ReadOnlyRoot = security.ReadOnlyRoot,
            Capabilities = security.Capabilities(),
            Hostname = facts.Hostname.ToPinned(),
            Volumes = mounts,
            ExecAny = options.AllowAnyExec,
            Exec = [.. For(name, options.Exec), .. ManifestCommands.Of(container)],
            Services = [.. For(name, options.Services), .. environment.Sealed.Concat(volumes.SealedIn(mounts)).Select(PinnedService.OfSealed).Distinct()],
        };
    }

    /// <summary>As kubelet: command replaces the entry point and drops the image's arguments, args replaces the arguments.</summary>
    private PinnedText[] ArgsOf(ManifestObject container, ResolvedImage image, PodEnvironment environment)
    {
        var command = container.Strings("command");
        var args = container.Strings("args");
        PinnedText[] pinned =
        [
            .. command.Count > 0 ? command.Select(Expand) : image.Defaults.Entrypoint.Select(PinnedText.Exactly),
            .. args.Count > 0 ? args.Select(Expand) : command.Count > 0 ? [] : image.Defaults.Cmd.Select(PinnedText.Exactly),
        ];
        if (pinned.Length == 0)
            review.Refuse(container.PlaceOf(), "neither the image nor the manifest says what to run");
        return pinned;

        PinnedText Expand(string text) => environment.Expand(text, container.PlaceOf()).ToPinned();
    }

    /// <summary>
    /// What a local pod asks for in place of what a sealed image says: nothing of it is left to a cluster, and the digest pins the rest.
    /// </summary>
    private static ProcessOverrides OverridesOf(ManifestObject container, PodEnvironment environment, PodSecurity security)
    {
        var command = container.Strings("command");
        return new ProcessOverrides(
            command.Count > 0 ? [.. command.Select(Expand)] : null, [.. container.Strings("args").Select(Expand)],
            [.. environment.Declared().Select(e => e.Example)], container.OptionalText("workingDir") ?? "", security.NamedUser(container.PlaceOf()));

        string Expand(string text) => environment.Expand(text, container.PlaceOf()).ToPinned().Example;
    }

    private static string CwdOf(ManifestObject container, ResolvedImage image)
    {
        var cwd = container.OptionalText("workingDir") ?? image.Defaults.WorkingDirectory;
        return cwd.StartsWith('/') ? cwd : $"/{cwd}";
    }

    private void CheckNames(ManifestObject spec, List<PinnedContainer> containers)
    {
        foreach (var twice in containers.GroupBy(c => c.Name).Where(g => g.Count() > 1))
            throw spec.Malformed("containers", $"has the name \"{twice.Key}\" twice");
        if (containers.Count == 0)
            throw spec.Malformed("containers", "is empty");
        foreach (var unknown in options.Exec.Select(g => g.Container).Concat(options.Services.Select(g => g.Container)).OfType<string>().Except(containers.Select(c => c.Name)).Distinct())
            review.Warn(spec.PlaceOf("containers"), $"there is no container \"{unknown}\" to which something was granted");
    }

    private static IEnumerable<T> For<T>(string container, IReadOnlyList<ContainerGrant<T>> grants) =>
        grants.Where(g => g.IsFor(container)).Select(g => g.Value);
}
