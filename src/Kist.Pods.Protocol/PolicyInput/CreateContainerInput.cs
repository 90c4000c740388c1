using System.Text.Json;

namespace Kist.Pods.Protocol;

/// <summary>
/// What the agent policy's rule CreateContainerRequest is asked about (docs/agent-policy.md): the container that would run,
/// once the image's configuration and the host's wishes are merged. The agent writes it before anything is fetched; the
/// owner's tools write it to try a policy.
/// </summary>
public sealed record CreateContainerInput
{
    /// <summary>The host's identifier of the container.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The container's name in the policy.</summary>
    public required string ContainerName { get; init; }

    /// <summary>Registry and repository, for people: the digest decides.</summary>
    public required string ImageReference { get; init; }

    /// <summary>Digest of the platform's own manifest.</summary>
    public required string ManifestDigest { get; init; }

    /// <summary>Digest of the image's configuration.</summary>
    public required string ConfigDigest { get; init; }

    /// <summary>True if every layer is encrypted.</summary>
    public required bool Encrypted { get; init; }

    /// <summary>What is proven of a sealed image; null for any other.</summary>
    public SealedInput? Sealed { get; init; }

    /// <summary>What the host asked for in place of what the image says.</summary>
    public required ProcessOverrides Overrides { get; init; }

    /// <summary>The process.</summary>
    public required ContainerProcess Process { get; init; }

    /// <summary>True if it gets a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>What root in it may do; its bounding set in any case.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }

    /// <summary>True if the root file system cannot be written.</summary>
    public bool ReadOnlyRoot { get; init; }

    /// <summary>
    /// True if what it changes in its root file system goes to an encrypted disk of the host's, which can put a block back to
    /// what it was earlier; false if it stays in the guest's memory.
    /// </summary>
    public bool WritableOnDisk { get; init; }

    /// <summary>The pod's host name.</summary>
    public required string Hostname { get; init; }

    /// <summary>Bytes; 0 for no limit.</summary>
    public ulong MemoryBytes { get; init; }

    /// <summary>Thousandths of a processor; 0 for no limit.</summary>
    public uint CpuMillis { get; init; }

    /// <summary>Processes; 0 for the agent's default.</summary>
    public uint Pids { get; init; }

    /// <summary>What is mounted into it.</summary>
    public IReadOnlyList<VolumeInput> Volumes { get; init; } = [];

    /// <summary>What has already run in the pod.</summary>
    public PodStateInput Pod { get; init; } = PodStateInput.Empty;

    /// <summary>Writes the members of the input object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteString("container_id", ContainerId);
        json.WriteString("container_name", ContainerName);
        json.WriteStartObject("image");
        json.WriteString("reference", ImageReference);
        json.WriteString("manifest_digest", ManifestDigest);
        json.WriteString("config_digest", ConfigDigest);
        json.WriteBoolean("encrypted", Encrypted);
        Sealed?.Write(json);
        json.WriteEndObject();
        json.WritePropertyName("overrides");
        Overrides.WriteTo(json);
        WriteOci(json);
        json.WriteStartObject("limits");
        json.WriteNumber("memory_bytes", MemoryBytes);
        json.WriteNumber("cpu_millis", CpuMillis);
        json.WriteNumber("pids", Pids);
        json.WriteEndObject();
        json.WriteStartArray("volumes");
        foreach (var volume in Volumes)
            volume.Write(json);
        json.WriteEndArray();
        json.WriteString("writable_layer", WritableOnDisk ? "disk" : "memory");
        Pod.Write(json);
    }

    private void WriteOci(Utf8JsonWriter json)
    {
        json.WriteStartObject("OCI");
        json.WriteStartObject(nameof(Process));
        PolicyJson.WriteStrings(json, "Args", Process.Args);
        PolicyJson.WriteStrings(json, "Env", Process.Env);
        json.WriteString("Cwd", Process.Cwd);
        json.WriteStartObject("User");
        json.WriteString("Username", Process.User);
        json.WriteEndObject();
        json.WriteBoolean(nameof(Terminal), Terminal);
        PolicyJson.WriteStrings(json, "Capabilities", Capabilities);
        json.WriteBoolean("NoNewPrivileges", true);
        json.WriteEndObject();
        json.WriteStartObject("Root");
        json.WriteBoolean("Readonly", ReadOnlyRoot);
        json.WriteEndObject();
        json.WriteString(nameof(Hostname), Hostname);
        json.WriteEndObject();
    }
}
