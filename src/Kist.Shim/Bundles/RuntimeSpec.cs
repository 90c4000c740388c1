using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Shim.Bundles;

/// <summary>
/// What of an OCI runtime specification (config.json) concerns a guest. The rest is about the host's kernel and has no
/// meaning there. All of it is the host's wish, which the guest's policy judges. The members can be set, since generated
/// readers would overwrite the defaults of init-only ones.
/// </summary>
internal sealed record RuntimeSpec
{
    public ProcessSpec Process { get; set; } = new();

    public RootSpec Root { get; set; } = new();

    public string Hostname { get; set; } = "";

    public IReadOnlyList<MountSpec> Mounts { get; set; } = [];

    public IReadOnlyDictionary<string, string> Annotations { get; set; } = new Dictionary<string, string>();

    public LinuxSpec Linux { get; set; } = new();

    /// <summary>Reads a bundle's config.json.</summary>
    /// <exception cref="MalformedDataException">It is not one.</exception>
    public static RuntimeSpec Load(string bundle)
    {
        const int maximum = 4 << 20;
        var file = new FileInfo(Path.Combine(bundle, "config.json"));
        if (file.Exists && file.Length > maximum)
            throw new MalformedDataException("config.json", maximum, $"is longer than {maximum} bytes");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file.FullName), RuntimeSpecJson.Default.RuntimeSpec)
                ?? throw new MalformedDataException("config.json", 0, "is null");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException("config.json", e.BytePositionInLine ?? -1, "is no runtime specification", e);
        }
        catch (FileNotFoundException e)
        {
            throw new OperationFailedException("read bundle", file.FullName, "does not exist", inner: e);
        }
    }

    /// <summary>Reads a process alone, as Exec gives it.</summary>
    /// <exception cref="MalformedDataException">It is not one.</exception>
    public static ProcessSpec ParseProcess(ReadOnlySpan<byte> json) => Parse(json, RuntimeSpecJson.Default.ProcessSpec, "process");

    /// <summary>Reads resources alone, as Update gives them.</summary>
    /// <exception cref="MalformedDataException">They are not that.</exception>
    public static ResourcesSpec ParseResources(ReadOnlySpan<byte> json) => Parse(json, RuntimeSpecJson.Default.ResourcesSpec, "resources");

    private static T Parse<T>(ReadOnlySpan<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string structure)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new MalformedDataException(structure, 0, "is null");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(structure, e.BytePositionInLine ?? -1, "is not that of a runtime specification", e);
        }
    }
}

internal sealed record ProcessSpec
{
    public bool Terminal { get; set; }

    /// <summary>The terminal's size at first; null if it is not known.</summary>
    public ConsoleSizeSpec? ConsoleSize { get; set; }

    public UserSpec User { get; set; } = new();

    public IReadOnlyList<string> Args { get; set; } = [];

    public IReadOnlyList<string> Env { get; set; } = [];

    public string Cwd { get; set; } = "";

    public CapabilitiesSpec? Capabilities { get; set; }
}

internal sealed record ConsoleSizeSpec
{
    public uint Height { get; set; }

    public uint Width { get; set; }
}

internal sealed record UserSpec
{
    public uint Uid { get; set; }

    public uint Gid { get; set; }
}

internal sealed record CapabilitiesSpec
{
    public IReadOnlyList<string> Bounding { get; set; } = [];
}

internal sealed record RootSpec
{
    public bool Readonly { get; set; }
}

internal sealed record MountSpec
{
    public string Destination { get; set; } = "";

    public string Type { get; set; } = "";

    public string Source { get; set; } = "";

    public IReadOnlyList<string> Options { get; set; } = [];
}

internal sealed record LinuxSpec
{
    public string CgroupsPath { get; set; } = "";

    public ResourcesSpec Resources { get; set; } = new();

    public IReadOnlyList<NamespaceSpec> Namespaces { get; set; } = [];
}

internal sealed record NamespaceSpec
{
    public string Type { get; set; } = "";

    public string Path { get; set; } = "";
}

internal sealed record ResourcesSpec
{
    public MemorySpec? Memory { get; set; }

    public CpuSpec? Cpu { get; set; }

    public PidsSpec? Pids { get; set; }
}

internal sealed record MemorySpec
{
    /// <summary>Bytes; null or not positive for no limit.</summary>
    public long? Limit { get; set; }
}

internal sealed record CpuSpec
{
    public ulong? Shares { get; set; }

    /// <summary>Microseconds a period; null or not positive for no limit.</summary>
    public long? Quota { get; set; }

    public ulong? Period { get; set; }
}

internal sealed record PidsSpec
{
    public long Limit { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RuntimeSpec))]
internal sealed partial class RuntimeSpecJson : JsonSerializerContext;
