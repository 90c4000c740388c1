using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;
using Kist.Host;
using Kist.Pods.Machines;

namespace Kist.Shim;

/// <summary>How pods are started on this host: the JSON document that the runtime's ConfigPath names (docs/containerd.md).</summary>
public sealed record ShimConfiguration
{
    /// <summary>Read where containerd names no other and it is there.</summary>
    public const string DefaultPath = "/etc/kist/shim.json";

    private const int MaximumLength = 1 << 20, SmallestDiskMebibytes = 16;

    /// <summary>Kist's state directory: the simulated platform's seed and, for development, the services of <c>kist up</c>. Null for the user's.</summary>
    public string? State { get; set; }

    /// <summary>The guest image's folder; null for the state directory's.</summary>
    public string? Guest { get; set; }

    /// <summary>Memory of a guest in MiB where the pod says nothing.</summary>
    public int MemoryMebibytes { get; set; } = 512;

    /// <summary>Processors of a guest where the pod says nothing.</summary>
    public int Cpus { get; set; } = 1;

    /// <summary>"kvm", "tcg", or "auto" to try.</summary>
    public string Accelerator { get; set; } = "auto";

    /// <summary>How long the guest's agent may take to answer first, and an image to be pulled.</summary>
    public int StartTimeoutSeconds { get; set; } = 180;

    /// <summary>Services of the host that guests reach at 10.0.2.100, such as {"5000": "127.0.0.1:5000"}.</summary>
    public IReadOnlyDictionary<string, string> Doors { get; set; } = new Dictionary<string, string>();

    /// <summary>What a registry is called in the guest, such as {"127.0.0.1:5000": "10.0.2.100:5000"}.</summary>
    public IReadOnlyDictionary<string, string> Registries { get; set; } = new Dictionary<string, string>();

    /// <summary>Registries, as the guest calls them, that are spoken to in plain HTTP. What comes from them is checked all the same.</summary>
    public IReadOnlyList<string> PlainRegistries { get; set; } = [];

    /// <summary>How many blobs of sealed images the containers of a pod may bring: disks that every machine has, empty at first.</summary>
    public int SealedDisks { get; set; } = 4;

    /// <summary>
    /// Size in MiB of the encrypted disk on which a pod's containers keep what they change in root file systems of sealed images; 0
    /// keeps it in the guest's memory. The pod's policy must allow it.
    /// </summary>
    public int WritableMebibytes { get; set; }

    /// <summary>Puts the shim and its virtual machine into the pod's cgroup of the host, so that their use is the pod's.</summary>
    public bool SandboxCgroup { get; set; } = true;

    /// <summary>Lets guests give memory back that they have freed, which tells the host how much they use.</summary>
    public bool ReturnMemory { get; set; }

    /// <summary>
    /// Where host and owner are the same person: tasks without init-data get one that allows exactly what is asked for, and
    /// its measurement is registered with the broker of <c>kist up</c>. Null: such tasks are refused.
    /// </summary>
    public DevelopmentConfiguration? Development { get; set; }

    /// <summary>Null to probe.</summary>
    [JsonIgnore]
    public Accelerator? Machine => Accelerator switch
    {
        "auto" => null,
        "kvm" => Pods.Machines.Accelerator.Kvm,
        "tcg" => Pods.Machines.Accelerator.Tcg,
        _ => throw new OperationFailedException("read shim configuration", "accelerator", $"'{Accelerator}' is none of auto, kvm, tcg"),
    };

    /// <summary>The state directory that is named, or the user's.</summary>
    public StateDirectory OpenState() => StateDirectory.Open(State ?? StateDirectory.DefaultRoot());

    /// <summary>Reads the document, or gives the defaults if none is named and none lies at <see cref="DefaultPath"/>.</summary>
    /// <exception cref="OperationFailedException">The document cannot be read.</exception>
    /// <exception cref="MalformedDataException">It is not one.</exception>
    public static ShimConfiguration Load(string? path)
    {
        if (path is null && !File.Exists(DefaultPath))
            return new ShimConfiguration();
        var file = new FileInfo(path ?? DefaultPath);
        if (!file.Exists)
            throw new OperationFailedException("read shim configuration", file.FullName, "does not exist", "see ConfigPath of the runtime in containerd's configuration");
        if (file.Length > MaximumLength)
            throw new OperationFailedException("read shim configuration", file.FullName, $"is longer than {MaximumLength} bytes");
        return Parse(File.ReadAllBytes(file.FullName));
    }

    /// <summary>Reads a document.</summary>
    /// <exception cref="MalformedDataException">It is not one, or has a member that is unknown.</exception>
    public static ShimConfiguration Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var configuration = JsonSerializer.Deserialize(json, ShimConfigurationJson.Default.ShimConfiguration)
                ?? throw new MalformedDataException("shim configuration", 0, "is null");
            return configuration.SealedDisks is >= 0 and <= SealedDiskSlots.Maximum && configuration.WritableMebibytes is 0 or >= SmallestDiskMebibytes
                ? configuration
                : throw new MalformedDataException(
                    "shim configuration", -1, $"sealedDisks is 0 to {SealedDiskSlots.Maximum}, writableMebibytes 0 or at least {SmallestDiskMebibytes}");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException("shim configuration", e.BytePositionInLine ?? -1, e.Message, e);
        }
    }
}

/// <summary>What the owner, who is the host's owner too, allows to every task.</summary>
public sealed record DevelopmentConfiguration
{
    /// <summary>Images with layers in the clear may run.</summary>
    public bool AllowPlainImages { get; set; }

    /// <summary>Anything may be executed in containers.</summary>
    public bool AllowExec { get; set; }

    /// <summary>Containers get the network of their network namespace.</summary>
    public bool AllowNetwork { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ShimConfiguration))]
internal sealed partial class ShimConfigurationJson : JsonSerializerContext;
