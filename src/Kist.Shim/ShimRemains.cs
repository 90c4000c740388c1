using Kist.Linux.Processes;
using Kist.Shim.Bundles;
using Kist.Shim.Launching;
using Kist.Shim.Network;

namespace Kist.Shim;

/// <summary>
/// What a pod's shim may have left on the host when it was killed, at whatever moment. containerd gives its removal five
/// seconds; the kernel may need some of them to end a machine.
/// </summary>
internal static class ShimRemains
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4), Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>Takes it all away. A shim that still runs is ended: containerd has given it up.</summary>
    public static void Remove(ShimArguments arguments, Bundle bundle)
    {
        foreach (var shim in ShimProcesses.Of(arguments with { Id = bundle.GroupId }))
            Signals.Send(shim, Signals.Kill);
        var cgroup = SandboxCgroup.Of(bundle.Spec.Linux.CgroupsPath);
        // Once with all that it can reach, so that little remains if even this process is ended.
        cgroup?.KillAll();
        ShimSocket.Of(arguments.Address, arguments.Namespace, bundle.GroupId).Remove();
        if (bundle.NetworkNamespace is { } path)
            PodNetwork.Leave(path);
        if (cgroup is null)
            return;
        for (var waited = TimeSpan.Zero; !cgroup.TryRemove() && waited < Patience; waited += Poll)
        {
            // A process that was just being started when its parent died has come meanwhile.
            cgroup.KillAll();
            Thread.Sleep(Poll);
        }
    }
}
