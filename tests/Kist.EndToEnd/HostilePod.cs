using Kist.Formats;
using Kist.Host;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Guest;
using Kist.Pods.Protocol.Agent;

namespace Kist.EndToEnd;

/// <summary>
/// A host that does as the owner asked up to the registration, and then starts something else or asks for something else.
/// </summary>
static class HostilePod
{
    /// <summary>Runs a container with tampering, and returns the failure that the user is told.</summary>
    /// <param name="installation">The services.</param>
    /// <param name="image">The image, as the owner names it.</param>
    /// <param name="tamperMachine">Changes what is started, after its owner's values have been registered.</param>
    /// <param name="tamperRequest">Changes what the agent is asked for.</param>
    public static async Task<OperationFailedException> RefusalAsync(
        Installation installation, string image, Func<PodSpec, PodSpec>? tamperMachine = null, Action<CreateContainerRequest>? tamperRequest = null)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var guest = GuestImage.Load(installation.State.Guest);
        var request = new RunRequest { Image = image };
        var plan = await WorkloadPlan.MakeAsync(request, guest, installation.Endpoints, cancel);
        await BrokerRegistrar.Connect(installation.Endpoints).RegisterAsync("attack", plan.Predict(), cancel);

        var platform = new SimulatedTrustPlatform(new SimulatorStore(installation.State).LoadOrCreateVendor());
        var launcher = new PodLauncher(platform, TimeProvider.System);
        return await Assert.ThrowsAnyAsync<OperationFailedException>(async () =>
        {
            await using var pod = await launcher.LaunchAsync(tamperMachine?.Invoke(plan.Spec) ?? plan.Spec, cancellationToken: cancel);
            var create = plan.ToCreateRequest();
            tamperRequest?.Invoke(create);
            await pod.Agent.CreateContainerAsync(create, TimeSpan.FromMinutes(2), cancel);
            await pod.Agent.StartContainerAsync(create.ContainerId, cancel);
        });
    }

    /// <summary>The agent's stable code, or "host" if the host itself failed.</summary>
    public static string CodeOf(OperationFailedException failure) => failure is AgentCallException call ? call.Code : "host";
}
