using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Enclaves.Manifests;

/// <summary>
/// What runs in an enclave, down to every file's digest: it is measured with the enclave, so MRENCLAVE stands for this
/// very application. Its one form is canonical JSON (RFC 8785): equal applications have equal bytes.
/// </summary>
public sealed record EnclaveManifest
{
    /// <summary>The only version of the format.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Most bytes of a manifest.</summary>
    public const int MaxBytes = JsonCanonicalizer.MaxInputBytes;

    private const string Name = "enclave manifest";

    /// <summary>Version of the format: 1.</summary>
    public required int Version { get; init; }

    /// <summary>Digest of the image that the files are from, such as "sha256:…"; null if that is not known.</summary>
    public string? ImageDigest { get; init; }

    /// <summary>The program, exactly as it is started.</summary>
    public required ManifestProcess Process { get; init; }

    /// <summary>Command lines that may be executed in the running enclave, exactly; none without more.</summary>
    public required ImmutableArray<ImmutableArray<string>> Exec { get; init; }

    /// <summary>Every directory, file and link of the root, sorted by path (by UTF-16 code unit). Nothing else exists there.</summary>
    public required ImmutableArray<ManifestFile> Files { get; init; }

    /// <summary>File systems of the container that are visible in the enclave, in the order in which they are mounted.</summary>
    public required ImmutableArray<ManifestMount> Mounts { get; init; }

    /// <summary>True if the program cannot write to the root.</summary>
    public required bool ReadOnlyRoot { get; init; }

    /// <summary>What the program may use.</summary>
    public required ManifestLimits Limits { get; init; }

    /// <summary>
    /// True if the root is the image <see cref="ImageDigest"/>, which the pod's image agent unpacked and sealed for this
    /// enclave; <see cref="Files"/> then holds the directory / only. Null otherwise; never false.
    /// </summary>
    public bool? ImageFromAgent { get; init; }

    /// <summary>Makes this enclave a pod's image agent; it then runs no program. Null otherwise.</summary>
    public ManifestAgent? Agent { get; init; }

    /// <summary>The key broker that this enclave asks for keys and secrets; null for none.</summary>
    public ManifestBroker? Broker { get; init; }

    /// <summary>Secrets that the enclave fetches before the program starts; null for none.</summary>
    public ImmutableArray<ManifestSecret>? Secrets { get; init; }

    /// <summary>Parses a manifest. Only the canonical form is one.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static EnclaveManifest Parse(ReadOnlySpan<byte> utf8Json)
    {
        if (utf8Json.Length > MaxBytes)
            throw new MalformedDataException(Name, -1, $"{utf8Json.Length} bytes are more than the limit of {MaxBytes}");
        if (!JsonCanonicalizer.Canonicalize(utf8Json).AsSpan().SequenceEqual(utf8Json))
            throw new MalformedDataException(Name, -1, "not in canonical form (RFC 8785)");
        try
        {
            var manifest = JsonSerializer.Deserialize(utf8Json, ManifestJson.Default.EnclaveManifest)
                ?? throw new MalformedDataException(Name, -1, "it must be a JSON object");
            ManifestRules.Check(manifest);
            return manifest;
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(Name, e.BytePositionInLine ?? -1, $"{e.Path}: {Reason(e)}", e);
        }
    }

    /// <summary>The canonical bytes.</summary>
    /// <exception cref="MalformedDataException">A rule of the format is broken, or the manifest is too large.</exception>
    public byte[] ToBytes()
    {
        ManifestRules.Check(this);
        return JsonCanonicalizer.Canonicalize(JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.EnclaveManifest));
    }

    private static string Reason(JsonException e) => e.Message.Split(" Path:")[0].TrimEnd('.');
}

/// <summary>A program and how it is started.</summary>
public sealed record ManifestProcess
{
    /// <summary>The whole command line; the first is the program, searched in PATH if it has no slash.</summary>
    public required ImmutableArray<string> Args { get; init; }

    /// <summary>The whole environment, "NAME=value" in order.</summary>
    public required ImmutableArray<string> Env { get; init; }

    /// <summary>Absolute path of the directory it starts in.</summary>
    public required string Cwd { get; init; }

    /// <summary>Its user.</summary>
    public required uint Uid { get; init; }

    /// <summary>Its group.</summary>
    public required uint Gid { get; init; }

    /// <summary>Its supplementary groups.</summary>
    public required ImmutableArray<uint> AdditionalGids { get; init; }

    /// <summary>Its capabilities, such as "CAP_CHOWN", sorted.</summary>
    public required ImmutableArray<string> Capabilities { get; init; }

    /// <summary>True if its standard input and output are a terminal.</summary>
    public required bool Terminal { get; init; }
}

/// <summary>Kinds of <see cref="ManifestFile"/>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ManifestFileType>))]
public enum ManifestFileType
{
    /// <summary>A directory.</summary>
    [JsonStringEnumMemberName("directory")]
    Directory,

    /// <summary>A regular file.</summary>
    [JsonStringEnumMemberName("file")]
    File,

    /// <summary>A symbolic link.</summary>
    [JsonStringEnumMemberName("link")]
    Link,
}

/// <summary>One entry of the root's tree.</summary>
public sealed record ManifestFile
{
    /// <summary>Absolute path, normalised.</summary>
    public required string Path { get; init; }

    /// <summary>What it is.</summary>
    public required ManifestFileType Type { get; init; }

    /// <summary>Owner.</summary>
    public required uint Uid { get; init; }

    /// <summary>Group.</summary>
    public required uint Gid { get; init; }

    /// <summary>Permissions with set-user-id, set-group-id and sticky bit; 0 for a link.</summary>
    public required uint Mode { get; init; }

    /// <summary>Bytes of a file; null otherwise.</summary>
    public long? Size { get; init; }

    /// <summary>When a file was modified, in seconds since 1970; null otherwise.</summary>
    public long? Modified { get; init; }

    /// <summary>SHA-256 of a file's content in lower-case hexadecimal digits; null otherwise.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Where a link leads; null otherwise.</summary>
    public string? Target { get; init; }
}

/// <summary>A file system that the container runtime mounts and the program may see.</summary>
public sealed record ManifestMount
{
    /// <summary>Absolute path where it is seen.</summary>
    public required string Destination { get; init; }

    /// <summary>
    /// Its kind: proc, sysfs, tmpfs, devpts, mqueue, cgroup; "bind" for files of the host, which nothing vouches for.
    /// </summary>
    public required string Type { get; init; }

    /// <summary>Its options in the OCI runtime specification's words.</summary>
    public required ImmutableArray<string> Options { get; init; }
}

/// <summary>Limits that the enclave host sets for the program, whatever the container runtime allows.</summary>
public sealed record ManifestLimits
{
    /// <summary>Bytes that the root may hold, files that were opened and files that were written together.</summary>
    public required long RootBytes { get; init; }

    /// <summary>Open files of a process (RLIMIT_NOFILE).</summary>
    public required long OpenFiles { get; init; }
}

/// <summary>Strict in both directions: an unknown, doubled or missing member is refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 16)]
[JsonSerializable(typeof(EnclaveManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
