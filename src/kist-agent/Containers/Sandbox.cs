using Kist.Agent.Boot;
using Kist.Linux.Files;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Containers;

/// <summary>
/// What the containers of a pod share beside the network: host name, name servers, System V objects and /dev/shm. Where
/// other runtimes keep a "pause" process for it, the guest itself does it.
/// </summary>
/// <param name="Id">The host's identifier of the pod.</param>
/// <param name="Hostname">Empty: each container has a name of its own.</param>
/// <param name="Dns">Lines of resolv.conf.</param>
/// <param name="SharedMemory">The folder that is /dev/shm in every container; null for one of each container's own.</param>
sealed record Sandbox(string Id, string Hostname, IReadOnlyList<string> Dns, string? SharedMemory)
{
    private const int MaximumLines = 32, MaximumLine = 1024, MaximumHostname = 64;

    private static readonly string[] DnsKeywords = ["nameserver", "search", "options", "domain", "sortlist"];

    /// <summary>A guest of single containers that share nothing.</summary>
    public static Sandbox None { get; } = new("", "", [], null);

    public static Sandbox Create(CreateSandboxRequest request)
    {
        if (!ContainerTable.IsIdentifier(request.SandboxId))
            throw Invalid(request, "its identifier is no identifier");
        if (request.Hostname.Length > MaximumHostname || request.Hostname.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-')))
            throw Invalid(request, $"a host name has up to {MaximumHostname} of [a-zA-Z0-9.-]");
        if (request.Dns.Count > MaximumLines || request.Dns.Any(l => !IsDnsLine(l)))
            throw Invalid(request, $"there are up to {MaximumLines} lines of resolv.conf, each a keyword and words");
        var shared = $"{FileSystems.Work}/shm";
        Directory.CreateDirectory(shared);
        Mounts.Mount("shm", shared, "tmpfs", MountOptions.NoSetUid | MountOptions.NoDevices | MountOptions.NoExecution, "mode=1777,size=64m");
        return new Sandbox(request.SandboxId, request.Hostname, [.. request.Dns], shared);
    }

    private static bool IsDnsLine(string line) =>
        line.Length <= MaximumLine && !line.Any(char.IsControl) && DnsKeywords.Contains(line.Split(' ', 2)[0], StringComparer.Ordinal);

    private static AgentException Invalid(CreateSandboxRequest request, string reason) =>
        new(FailureCode.InvalidRequest, "create sandbox", request.SandboxId.Length <= 76 ? request.SandboxId : "pod", reason);
}
