using Kist.Formats;
using Kist.Host;
using Kist.Oci;
using Kist.Pods.Protocol.Agent;
using Kist.Shim.Bundles;
using Kist.Shim.Tasks;

namespace Kist.Shim.Launching;

/// <summary>Turns what containerd asks for into what the guest's agent is asked for.</summary>
internal static class ContainerRequests
{
    private const ulong DefaultPeriod = 100_000;

    /// <summary>A container of a bundle.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="image">The image as the guest names it.</param>
    /// <param name="configuration">Which registries are spoken to in plain HTTP.</param>
    public static CreateContainerRequest Of(Bundle bundle, ImageReference image, ShimConfiguration configuration)
    {
        var (spec, process) = (bundle.Spec, bundle.Spec.Process);
        var request = new CreateContainerRequest
        {
            ContainerId = bundle.Id,
            Name = bundle.Name,
            Image = image.ToString(),
            EntrypointOverride = true,
            Entrypoint = { process.Args },
            Environment = { process.Env.Select(Variable) },
            WorkingDirectory = process.Cwd,
            User = UserOf(process),
            Tty = process.Terminal,
            Limits = LimitsOf(spec.Linux.Resources),
            Hostname = HostnameOf(bundle),
            ReadOnlyRoot = spec.Root.Readonly,
            InsecureRegistry = configuration.PlainRegistries.Contains(image.Registry, StringComparer.Ordinal),
            Volumes = { VolumeRequests.Of(spec, ScratchDiskNames.Read(bundle.Find(ScratchDiskNames.Annotation))) },
        };
        if (process.Capabilities is { } capabilities)
            request.Capabilities = new CapabilitySet { Names = { capabilities.Bounding.Order(StringComparer.Ordinal) } };
        return request;
    }

    /// <summary>A process that is executed in a container.</summary>
    public static ExecProcessRequest Of(TaskProcess executed)
    {
        var process = executed.Spec;
        var request = new ExecProcessRequest
        {
            ContainerId = executed.Container.Id,
            ExecId = executed.ExecId,
            Arguments = { process.Args },
            Environment = { process.Env.Select(Variable) },
            WorkingDirectory = process.Cwd,
            User = UserOf(process),
            Tty = executed.Paths.Terminal,
            Stdin = executed.Paths.Stdin.Length > 0,
            Rows = (uint)(executed.TerminalSize?.Rows ?? 0),
            Columns = (uint)(executed.TerminalSize?.Columns ?? 0),
        };
        if (process.Capabilities is { } capabilities)
            request.Capabilities = new CapabilitySet { Names = { capabilities.Bounding.Order(StringComparer.Ordinal) } };
        return request;
    }

    public static string UserOf(ProcessSpec process) => $"{process.User.Uid}:{process.User.Gid}";

    public static ResourceLimits LimitsOf(ResourcesSpec resources) => new()
    {
        MemoryBytes = resources.Memory?.Limit is > 0 and var memory ? (ulong)memory : 0,
        CpuMillis = resources.Cpu?.Quota is > 0 and var quota
            ? (uint)Math.Clamp((ulong)quota * 1000 / (resources.Cpu.Period is > 0 and var period ? period : DefaultPeriod), 1, uint.MaxValue)
            : 0,
        CpuShares = resources.Cpu?.Shares ?? 0,
        Pids = resources.Pids?.Limit is > 0 and <= uint.MaxValue and var pids ? (uint)pids : 0,
    };

    private static EnvironmentVariable Variable(string entry)
    {
        var separator = entry.IndexOf('=', StringComparison.Ordinal);
        return separator > 0
            ? new EnvironmentVariable { Name = entry[..separator], Value = entry[(separator + 1)..] }
            : throw new OperationFailedException("read bundle", "environment", $"'{entry}' is not NAME=value");
    }

    /// <summary>A host name has letters, digits and dashes only; identifiers have more.</summary>
    private static string HostnameOf(Bundle bundle) => bundle.Spec.Hostname.Length > 0
        ? bundle.Spec.Hostname
        : new string([.. bundle.Id.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-').Take(63)]);
}
