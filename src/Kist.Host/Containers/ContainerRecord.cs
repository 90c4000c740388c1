using System.Text.Json.Serialization;

namespace Kist.Host;

/// <summary>Where a container is in its life.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerStatus>))]
public enum ContainerStatus
{
    /// <summary>The virtual machine is being started, attested, or is pulling the image.</summary>
    [JsonStringEnumMemberName("starting")]
    Starting,

    /// <summary>Its program runs.</summary>
    [JsonStringEnumMemberName("running")]
    Running,

    /// <summary>Its program ended; <see cref="ContainerRecord.ExitCode"/> says how.</summary>
    [JsonStringEnumMemberName("exited")]
    Exited,

    /// <summary>It never ran, or its virtual machine was lost; <see cref="ContainerRecord.Error"/> says why.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}

/// <summary>How long one step of a start took.</summary>
/// <param name="Name">The step, such as "boot" or "pull".</param>
/// <param name="Milliseconds">Its length.</param>
public sealed record StepTiming(string Name, double Milliseconds);

/// <summary>A container of a pod.</summary>
/// <param name="Name">Its name in the pod.</param>
/// <param name="Image">Its image, by digest.</param>
/// <param name="IsInit">True if it has ended before the others started.</param>
public sealed record ContainerPart(string Name, string Image, bool IsInit);

/// <summary>A port of this machine that leads to the pod.</summary>
/// <param name="Host">What is listened on, "127.0.0.1:8080".</param>
/// <param name="Pod">The port in the pod.</param>
public sealed record OpenPort(string Host, int Pod);

/// <summary>What is known of one container; kept as record.json in its folder.</summary>
public sealed record ContainerRecord
{
    /// <summary>64 lower-case hexadecimal digits, random.</summary>
    public required string Id { get; init; }

    /// <summary>Its name, unique in the state directory.</summary>
    public required string Name { get; init; }

    /// <summary>The image as the user named it.</summary>
    public required string Image { get; init; }

    /// <summary>Digest of the image's manifest, which the guest's measured policy pins.</summary>
    public string? ImageDigest { get; init; }

    /// <summary>The containers of the pod; empty before its images are pinned.</summary>
    public IReadOnlyList<ContainerPart> Containers { get; init; } = [];

    /// <summary>Ports that lead to it, while it runs.</summary>
    public IReadOnlyList<OpenPort> Ports { get; init; } = [];

    /// <summary>How often containers have been started again.</summary>
    public int Restarts { get; init; }

    /// <summary>What runs: the user's own arguments, or empty for the image's.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>When the container was made.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When its program ended, or null.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>Where it is in its life, as last written by its supervisor.</summary>
    public ContainerStatus Status { get; init; }

    /// <summary>The program's exit code once it has exited.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Why it failed, for the user; null otherwise.</summary>
    public string? Error { get; init; }

    /// <summary>What was found wrong while it ran that its exit code does not say, for the user.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>True if it is to be removed once it has ended.</summary>
    public bool AutoRemove { get; init; }

    /// <summary>True if nobody waits for it at a terminal.</summary>
    public bool Detached { get; init; }

    /// <summary>"simulated" where the evidence was signed by a simulated platform, else the TEE's name.</summary>
    public string? Platform { get; init; }

    /// <summary>How long the steps of its start took.</summary>
    public IReadOnlyList<StepTiming> Timings { get; init; } = [];

    /// <summary>The first twelve digits of <see cref="Id"/>, as shown to people.</summary>
    [JsonIgnore]
    public string ShortId => Id[..12];
}
