using Kist.Pods.Protocol.Agent;
using Kist.Shim.Bundles;

namespace Kist.Shim.Launching;

/// <summary>What the guest is told of the pod itself.</summary>
internal static class SandboxRequests
{
    private const int MaximumLength = 16 << 10;

    public static CreateSandboxRequest Of(Bundle bundle) => new()
    {
        SandboxId = bundle.Id,
        Hostname = bundle.Spec.Hostname,
        Dns = { DnsOf(bundle.Spec) },
    };

    /// <summary>The lines of the resolv.conf that containerd would mount; none where the pod has no network.</summary>
    private static IEnumerable<string> DnsOf(RuntimeSpec spec)
    {
        var source = spec.Mounts.FirstOrDefault(m => m.Destination == "/etc/resolv.conf")?.Source;
        if (source is null || !File.Exists(source) || new FileInfo(source).Length > MaximumLength)
            return [];
        return File.ReadAllLines(source).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] is not ('#' or ';'));
    }
}
