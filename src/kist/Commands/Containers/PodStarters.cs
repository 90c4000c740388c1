using Kist.Host;
using Kist.Kubernetes;
using Kist.Pods;
using Kist.Pods.Guest;

namespace Kist.Cli.Commands.Containers;

/// <summary>Puts together what starts pods on this machine.</summary>
static class PodStarters
{
    /// <summary>
    /// Pods on the simulated TDX platform of this installation. Hardware hosts need a monitor and a kernel that start trust
    /// domains; docs/limitations.md says what of that is untried.
    /// </summary>
    public static IPodStarter Create(StateDirectory state)
    {
        var platform = new SimulatedTrustPlatform(new SimulatorStore(state).LoadOrCreateVendor());
        return new AttestedPodStarter(state, new PodLauncher(platform, TimeProvider.System), PlanAsync, BrokerRegistrar.Connect, TimeProvider.System);
    }

    private static Task<WorkloadPlan> PlanAsync(RunRequest request, GuestImage guest, ServiceEndpoints endpoints, CancellationToken cancellationToken) =>
        request.Manifests.Count > 0
            ? PodRunPlanner.MakeAsync(request, guest, endpoints, cancellationToken)
            : WorkloadPlan.MakeAsync(request, guest, endpoints, cancellationToken);
}
