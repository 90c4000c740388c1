using Kist.Formats;
using Kist.Images;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Guest;

namespace Kist.Host;

/// <summary>
/// The whole way of a container: pins image and process in a policy, predicts what a guest under that policy will measure,
/// registers it with the owner's broker, boots the guest, and lets its agent attest, pull and start.
/// </summary>
public sealed class AttestedPodStarter(
    StateDirectory state, PodLauncher launcher, Func<ServiceEndpoints, IReferenceRegistrar> registrar, TimeProvider time) : IPodStarter
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public async Task<IPod> StartAsync(
        RunRequest request, ContainerFolder folder, IProgress<string> progress, CancellationToken cancellationToken)
    {
        var timings = new Timings(time);
        var endpoints = ServiceEndpoints.Require(state);
        using var guest = GuestImage.Load(state.Guest);

        progress.Report("pinning image and process");
        var plan = await WorkloadPlan.MakeAsync(request, guest, endpoints, cancellationToken).ConfigureAwait(false);
        folder.Save(folder.Record with { ImageDigest = plan.Image.ManifestDigest.ToString() });
        timings.Finish("pin");
        if (!plan.Image.IsEncrypted)
            progress.Report($"warning: {request.Image} is not encrypted: the host can read it, and it is pinned by its digest only");

        progress.Report("predicting and registering what the guest will measure");
        await registrar(endpoints).RegisterAsync(folder.Record.Name, plan.Predict(), cancellationToken).ConfigureAwait(false);
        timings.Finish("register");

        progress.Report("preparing the image's disks");
        var disks = await ImageDisks.PrepareAsync(new BlobCache(state.ImageCache), plan.Image, RegistryAccess.For(request.Images), request.Fetch, cancellationToken)
            .ConfigureAwait(false);
        timings.Finish("disks");
        RunningPod? pod = null;
        try
        {
            progress.Report("starting the virtual machine");
            pod = await launcher.LaunchAsync(plan.Spec with { Disks = [.. disks.Disks, .. plan.ScratchDisks(Path.Combine(state.Root, "scratch"))] }, timings, cancellationToken).ConfigureAwait(false);
            timings.Restart();
            await CreateAndStartAsync(pod, plan, request, progress, cancellationToken).ConfigureAwait(false);
            timings.Finish("container");
            timings.AddGuest(await pod.Agent.GetProgressAsync(cancellationToken).ConfigureAwait(false));
            return new AgentPod(pod, disks, WorkloadPlan.ContainerId, timings.Steps, pod.Info.Simulated ? $"simulated {pod.Info.Tee}" : pod.Info.Tee, request.LearnFile);
        }
        catch (Exception e)
        {
            if (pod is not null)
            {
                await SaveConsoleAsync(pod, folder).ConfigureAwait(false);
                await pod.DisposeAsync().ConfigureAwait(false);
            }

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
        RunningPod pod, WorkloadPlan plan, RunRequest request, IProgress<string> progress, CancellationToken cancellationToken)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = WatchAsync(pod, progress, watching.Token);
        try
        {
            await pod.Agent.CreateContainerAsync(plan.ToCreateRequest(), request.StartTimeout, cancellationToken).ConfigureAwait(false);
            await pod.Agent.StartContainerAsync(WorkloadPlan.ContainerId, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await watching.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
