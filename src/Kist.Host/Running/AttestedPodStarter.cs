using System.Net;
using Kist.Formats;
using Kist.Measurement;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>
/// The whole way of a container: pins image and process in a policy, predicts what a guest under that policy will measure,
/// registers it with the owner's broker, boots the guest, and lets its agent attest, pull and start.
/// </summary>
public sealed class AttestedPodStarter(
    StateDirectory state, PodLauncher launcher, Func<ServiceEndpoints, IReferenceRegistrar> registrar, TimeProvider time) : IPodStarter
{
    private const string ContainerId = "main";
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public async Task<IPod> StartAsync(
        RunRequest request, ContainerFolder folder, IProgress<string> progress, CancellationToken cancellationToken)
    {
        var timings = new Timings(time);
        var endpoints = ServiceEndpoints.Require(state);
        using var guest = GuestImage.Load(state.Guest);

        progress.Report("resolving the image");
        var image = await ResolveAsync(request, cancellationToken).ConfigureAwait(false);
        folder.Save(folder.Record with { ImageDigest = image.ManifestDigest.ToString() });
        timings.Finish("resolve");

        progress.Report("pinning image and process, and registering what the guest will measure");
        var container = Pin(request, image, endpoints);
        var initData = InitDataDocument.Compose(
            endpoints.BrokerFromGuest, endpoints.BrokerCertificate, WorkloadPolicy.Write([container]));
        var spec = Spec(request, image, guest, initData, endpoints);
        var predicted = LaunchPredictor.Predict(PodLauncher.Inputs(spec)).ToReferenceValues();
        await registrar(endpoints).RegisterAsync(folder.Record.Name, predicted, cancellationToken).ConfigureAwait(false);
        timings.Finish("register");

        progress.Report("starting the virtual machine");
        var pod = await launcher.LaunchAsync(spec, timings, cancellationToken).ConfigureAwait(false);
        timings.Restart();
        try
        {
            await CreateAndStartAsync(pod, request, container, progress, cancellationToken).ConfigureAwait(false);
            timings.Finish("container");
            timings.AddGuest(await pod.Agent.GetProgressAsync(cancellationToken).ConfigureAwait(false));
            progress.Report("");
            return new AgentPod(pod, ContainerId, timings.Steps, pod.Info.Simulated ? $"simulated {pod.Info.Tee}" : pod.Info.Tee);
        }
        catch
        {
            await SaveConsoleAsync(pod, folder).ConfigureAwait(false);
            await pod.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<ResolvedImage> ResolveAsync(RunRequest request, CancellationToken cancellationToken)
    {
        var image = await ResolvedImage.ResolveAsync(ImageReference.Parse(request.Image), new RegistryOptions(), cancellationToken).ConfigureAwait(false);
        if (image.IsEncrypted || request.AllowPlainImage)
            return image;
        throw new OperationFailedException(
            "check image", request.Image, $"{image.Layers - image.EncryptedLayers} of its {image.Layers} layers are not encrypted: the host can read them",
            $"encrypt it: kist image encrypt {request.Image} DESTINATION, or run it in the clear with --allow-plain-image");
    }

    private static PinnedContainer Pin(RunRequest request, ResolvedImage image, ServiceEndpoints endpoints)
    {
        var reference = image.Reference.Registry == endpoints.Registry
            ? $"{GuestNetwork.RegistryAuthority(int.Parse(endpoints.Registry.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture))}/{image.Reference.Repository}"
            : image.Reference.Name;
        return new PinnedContainer(
            ContainerId, $"{reference}@{image.ManifestDigest}", image.ManifestDigest.ToString(), image.IsEncrypted,
            ContainerProcess.Merge(image.Defaults, Overrides(request)), request.Terminal, request.Interactive, request.ReadOnly);
    }

    private static ProcessOverrides Overrides(RunRequest request) => new(
        request.Entrypoint is { } entrypoint ? [entrypoint] : null, request.Arguments, request.Environment, request.WorkingDirectory, request.User);

    private static PodSpec Spec(
        RunRequest request, ResolvedImage image, GuestImage guest, InitDataDocument initData, ServiceEndpoints endpoints) => new()
        {
            Guest = guest,
            InitData = initData.Bytes,
            MemoryMebibytes = MachineSize.Mebibytes(request, image.CompressedBytes),
            Cpus = request.VirtualCpus,
            Doors = [Door(new IPEndPoint(IPAddress.Loopback, endpoints.Broker.Port)), Door(IPEndPoint.Parse(endpoints.Registry))],
            StartTimeout = request.StartTimeout,
        };

    private static GuestDoor Door(IPEndPoint service) => new(service.Port, service);

    private static async Task CreateAndStartAsync(
        RunningPod pod, RunRequest request, PinnedContainer container, IProgress<string> progress, CancellationToken cancellationToken)
    {
        var create = new CreateContainerRequest
        {
            ContainerId = container.ContainerId,
            Image = container.Reference,
            EntrypointOverride = request.Entrypoint is not null,
            WorkingDirectory = request.WorkingDirectory,
            User = request.User,
            Tty = request.Terminal,
            Stdin = request.Interactive,
            ReadOnlyRoot = request.ReadOnly,
            InsecureRegistry = true,
            Limits = new ResourceLimits { MemoryBytes = (ulong)request.MemoryLimitBytes, CpuMillis = (uint)request.CpuMillis },
        };
        create.Arguments.AddRange(request.Arguments);
        if (request.Entrypoint is { } entrypoint)
            create.Entrypoint.Add(entrypoint);
        create.Environment.AddRange(request.Environment.Select(Variable));

        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = WatchAsync(pod, progress, watching.Token);
        try
        {
            await pod.Agent.CreateContainerAsync(create, request.StartTimeout, cancellationToken).ConfigureAwait(false);
            await pod.Agent.StartContainerAsync(container.ContainerId, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await watching.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static EnvironmentVariable Variable(string entry)
    {
        var separator = entry.IndexOf('=', StringComparison.Ordinal);
        return new EnvironmentVariable { Name = entry[..separator], Value = entry[(separator + 1)..] };
    }

    private static async Task WatchAsync(RunningPod pod, IProgress<string> progress, CancellationToken cancellationToken)
    {
        var shown = "";
        while (true)
        {
            var state = await pod.Agent.GetProgressAsync(cancellationToken).ConfigureAwait(false);
            var current = state.Steps.LastOrDefault(s => s.EndedMicroseconds == 0);
            var text = current is null ? "" : $"guest: {current.Name} {current.Subject}".TrimEnd();
            if (text.Length > 0 && text != shown)
                progress.Report(shown = text);
            await Task.Delay(ProgressInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task SaveConsoleAsync(RunningPod pod, ContainerFolder folder)
    {
        try
        {
            await File.WriteAllTextAsync(folder.ConsoleLog, pod.ConsoleText).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // the first failure is the one to tell
        }
    }
}
