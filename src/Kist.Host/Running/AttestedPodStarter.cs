using Kist.Formats;
using Kist.Images;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Guest;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>Decides what a request means before anything runs.</summary>
public delegate Task<WorkloadPlan> WorkloadPlanner(RunRequest request, GuestImage guest, ServiceEndpoints endpoints, CancellationToken cancellationToken);

/// <summary>
/// The whole way of a pod: pins images and processes in a policy, predicts what a guest under that policy will measure,
/// registers it with the owner's broker, boots the guest, and lets its agent attest, pull and start.
/// </summary>
public sealed class AttestedPodStarter(
    StateDirectory state, PodLauncher launcher, WorkloadPlanner planner, Func<ServiceEndpoints, IReferenceRegistrar> registrar, TimeProvider time) : IPodStarter
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(100), DrainTimeout = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async Task<IPod> StartAsync(
        RunRequest request, ContainerFolder folder, Action<OutputSource, string, ReadOnlyMemory<byte>> output, IProgress<string> progress, CancellationToken cancellationToken)
    {
        var timings = new Timings(time);
        var endpoints = ServiceEndpoints.Require(state);
        using var guest = GuestImage.Load(state.Guest);

        progress.Report("pinning image and process");
        var plan = await planner(request, guest, endpoints, cancellationToken).ConfigureAwait(false);
        folder.Save(folder.Record with
        {
            ImageDigest = plan.Image.ManifestDigest.ToString(),
            Containers = [.. plan.Containers.Select(c => new ContainerPart(c.Pinned.Name, c.Pinned.Reference, c.IsInit))],
        });
        timings.Finish("pin");
        foreach (var warning in plan.Warnings)
            progress.Report($"warning: {warning}");
        foreach (var plain in plan.Containers.Select(c => c.Image).Where(i => !i.IsEncrypted).DistinctBy(i => i.ManifestDigest))
            progress.Report($"warning: {plain.Reference} is not encrypted: the host can read it, and it is pinned by its digest only");

        progress.Report("predicting and registering what the guest will measure");
        await registrar(endpoints).RegisterAsync(folder.Record.Name, plan.Predict(), cancellationToken).ConfigureAwait(false);
        timings.Finish("register");

        progress.Report("preparing the image's disks");
        var disks = await ImageDisks.PrepareAsync(new BlobCache(state.ImageCache), [.. plan.Containers.Select(c => c.Image)], RegistryAccess.For(request.Images), request.Fetch, cancellationToken)
            .ConfigureAwait(false);
        timings.Finish("disks");
        var locks = VolumeLocks.Acquire(plan.Containers.SelectMany(c => c.Disks));
        RunningPod? pod = null;
        try
        {
            progress.Report("starting the virtual machine");
            pod = await launcher.LaunchAsync(plan.Spec with { Disks = [.. disks.Disks, .. plan.VolumeDisks(Path.Combine(state.Root, "scratch"))] }, timings, cancellationToken).ConfigureAwait(false);
            timings.Restart();
            await CreateAndStartAsync(pod, plan, request, output, progress, cancellationToken).ConfigureAwait(false);
            timings.Finish("container");
            disks.Hurry();
            timings.AddGuest(await pod.Agent.GetProgressAsync(cancellationToken).ConfigureAwait(false));
            return new AgentPod(pod, disks, locks, plan, request, timings.Steps);
        }
        catch (Exception e)
        {
            if (pod is not null)
            {
                await SaveConsoleAsync(pod, folder).ConfigureAwait(false);
                await pod.DisposeAsync().ConfigureAwait(false);
            }

            locks.Dispose();
            var cause = disks.Failure;
            await disks.DisposeAsync().ConfigureAwait(false);

            // The guest knows only that its disk failed.
            if (cause is OperationFailedException && e is OperationFailedException)
                throw cause;
            throw;
        }
        finally
        {
            progress.Report("");
        }
    }

    private static async Task CreateAndStartAsync(
        RunningPod pod, WorkloadPlan plan, RunRequest request, Action<OutputSource, string, ReadOnlyMemory<byte>> output, IProgress<string> progress,
        CancellationToken cancellationToken)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = WatchAsync(pod, progress, watching.Token);
        try
        {
            if (plan.Hostname is { } hostname)
                await pod.Agent.CreateSandboxAsync(new CreateSandboxRequest { SandboxId = hostname, Hostname = hostname }, cancellationToken).ConfigureAwait(false);
            foreach (var container in plan.Containers)
            {
                var name = container.Pinned.Name;
                await pod.Agent.CreateContainerAsync(container.Create, request.StartTimeout, cancellationToken).ConfigureAwait(false);
                await pod.Agent.StartContainerAsync(name, cancellationToken).ConfigureAwait(false);
                if (container.IsInit)
                    await FinishInitAsync(pod, name, output, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await watching.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits for a container that must have done its work before the next one starts.</summary>
    private static async Task FinishInitAsync(
        RunningPod pod, string container, Action<OutputSource, string, ReadOnlyMemory<byte>> output, CancellationToken cancellationToken)
    {
        Task[] reading = [ReadAsync(OutputSource.Stdout, OutputStream.Stdout), ReadAsync(OutputSource.Stderr, OutputStream.Stderr)];
        var exit = await pod.Agent.WaitProcessAsync(container, cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(reading).WaitAsync(DrainTimeout, cancellationToken).ConfigureAwait(false);
        if (exit.ExitCode != 0)
            throw new OperationFailedException("run init container", container, $"it ended with exit code {exit.ExitCode}", "see what it wrote: kist logs");

        async Task ReadAsync(OutputSource source, OutputStream stream)
        {
            await foreach (var data in OutputPump.ReadAsync(pod.Agent, container, stream, cancellationToken).ConfigureAwait(false))
                output(source, container, data);
        }
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
