using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kist.Enclaves.Manifests;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Enclaves.Runtime;

/// <summary>
/// What a container's configuration asks for in the way of enclaves: rune's annotations and environment variables, and
/// Kist's own annotations. A variable wins over an annotation, and is not passed on to the program.
/// </summary>
public sealed record EnclaveOptions
{
    private const string RootBytesAnnotation = "kist.enclave.root.bytes";
    private const string FuelAnnotation = "kist.enclave.wasm.fuel", SecondsAnnotation = "kist.enclave.wasm.seconds", MemoryAnnotation = "kist.enclave.wasm.memory";

    /// <summary>The only type of enclave.</summary>
    public const string IntelSgx = "intelSgx";

    /// <summary>
    /// Kist's annotations whose values are in the manifest, so that a verifier sees them by the measurement. Only these
    /// may be given by variables too, for callers without annotations (docker): an image can set variables, and must not
    /// name files of the host.
    /// </summary>
    private static readonly string[] s_measured =
        ["kist.enclave.exec", "kist.enclave.broker", "kist.enclave.secrets", RootBytesAnnotation, FuelAnnotation, SecondsAnnotation, MemoryAnnotation];

    private static readonly string[] s_variables =
    [
        "ENCLAVE_TYPE", "ENCLAVE_RUNTIME_PATH", "ENCLAVE_RUNTIME_ARGS", "ENCLAVE_RUNTIME_LOGLEVEL", "ENCLAVE_RA_TYPE",
        "ENCLAVE_RA_EPID_SPID", "ENCLAVE_RA_EPID_SUB_KEY", "ENCLAVE_RA_EPID_IS_LINKABLE", "ENCLAVE_IS_RA_TYPE_EPID",
        "ENCLAVE_IS_PRODUCT_ENCLAVE", "RUNE_CARRIER", "IMAGE_DIGEST",
        .. s_measured.Select(VariableOf),
    ];

    /// <summary>Host path of a manifest that was made beforehand; null to make one from the bundle.</summary>
    public string? ManifestPath { get; private init; }

    /// <summary>Host path of the manifest's SIGSTRUCT; null to sign here.</summary>
    public string? SigstructPath { get; private init; }

    /// <summary>Host path of the signing key; null to use this machine's development key.</summary>
    public string? KeyPath { get; private init; }

    /// <summary>Digest of the image, or null.</summary>
    public string? ImageDigest { get; private init; }

    /// <summary>Command lines that may be executed in the running enclave.</summary>
    public ImmutableArray<ImmutableArray<string>> Exec { get; private init; } = [];

    /// <summary>Most bytes that the root may hold; null for the usual.</summary>
    public long? RootBytes { get; private init; }

    /// <summary>Fuel of a WebAssembly module; null for no limit.</summary>
    public long? WasmFuel { get; private init; }

    /// <summary>Seconds that a WebAssembly module may run; null for no limit.</summary>
    public long? WasmSeconds { get; private init; }

    /// <summary>Bytes of a WebAssembly module's memory; null for no limit.</summary>
    public long? WasmMemory { get; private init; }

    /// <summary>True to give the enclave the attribute DEBUG, which voids its protection.</summary>
    public bool Debug { get; private init; }

    /// <summary>Makes the enclave a pod's image agent; null for an application.</summary>
    public ManifestAgent? Agent { get; private init; }

    /// <summary>The key broker, or null.</summary>
    public ManifestBroker? Broker { get; private init; }

    /// <summary>Secrets to fetch, or null.</summary>
    public ImmutableArray<ManifestSecret>? Secrets { get; private init; }

    /// <summary>The image that the pod's agent is to pull as this enclave's root; null if the bundle's root is it.</summary>
    public ImageReference? Image { get; private init; }

    /// <summary>True if the image's registry speaks plain http; null to decide by its address.</summary>
    public bool? PlainHttp { get; private init; }

    /// <summary>Identifier of the container that is the pod's image agent; null if there is none.</summary>
    public string? Pod { get; private init; }

    /// <summary>Reads the options; null for an ordinary container.</summary>
    /// <exception cref="OperationFailedException">The container asks for something that is not offered.</exception>
    public static EnclaveOptions? Read(OciBundle bundle)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        var type = Setting(bundle, "ENCLAVE_TYPE", "enclave.type");
        if (string.IsNullOrEmpty(type))
            return null;
        if (type != IntelSgx)
            throw new OperationFailedException("read enclave type", type, "no such enclaves here", $"use {IntelSgx}");
        RefuseEpid(Setting(bundle, "ENCLAVE_RA_TYPE", "enclave.attestation.ra_type"));
        if (NullIfEmpty(Setting(bundle, "ENCLAVE_RUNTIME_PATH", "enclave.runtime.path")) is { } pal)
        {
            throw new OperationFailedException(
                "read enclave runtime", pal, "enclave runtimes behind a PAL are not supported",
                "leave ENCLAVE_RUNTIME_PATH and enclave.runtime.path out: the program runs in Kist's own enclave host");
        }

        return ReadPod(bundle, new EnclaveOptions
        {
            ManifestPath = bundle.Annotation("kist.enclave.manifest"),
            SigstructPath = bundle.Annotation("kist.enclave.sigstruct"),
            KeyPath = bundle.Annotation("kist.enclave.key"),
            ImageDigest = NullIfEmpty(Setting(bundle, "IMAGE_DIGEST", "kist.enclave.image.digest")),
            Exec = CommandsOf(Measured(bundle, "kist.enclave.exec")),
            RootBytes = NumberOf(bundle, RootBytesAnnotation),
            WasmFuel = NumberOf(bundle, FuelAnnotation),
            WasmSeconds = NumberOf(bundle, SecondsAnnotation),
            WasmMemory = NumberOf(bundle, MemoryAnnotation),
            Debug = bundle.Annotation("kist.enclave.debug") == "true",
            Broker = Annotated(bundle, "kist.enclave.broker", EnclaveOptionsJson.Default.ManifestBroker),
            Secrets = Annotated(bundle, "kist.enclave.secrets", EnclaveOptionsJson.Default.ManifestSecretArray) is { } secrets ? [.. secrets] : null,
        });
    }

    /// <summary>
    /// The part of a pod. Kubernetes gives a pod's annotations to its sandbox and to every container: the sandbox is the
    /// image agent, the containers are applications.
    /// </summary>
    private static EnclaveOptions ReadPod(OciBundle bundle, EnclaveOptions options)
    {
        var kind = bundle.Annotation("io.kubernetes.cri.container-type");
        if (kind != "container" && Annotated(bundle, "kist.enclave.agent", EnclaveOptionsJson.Default.ManifestAgent) is { } agent)
            return options with { Agent = agent, Secrets = null };
        if (kind == "sandbox" || bundle.Annotation("kist.enclave.image") is not { } image)
            return options;
        var reference = ImageReference.Parse(image);
        return options with
        {
            Image = reference.Digest is not null ? reference
                : throw new OperationFailedException("read enclave image", image, "the reference has no digest, so nothing says which image it is", "append @sha256:…"),
            ImageDigest = reference.Digest.ToString(),
            PlainHttp = bundle.Annotation("kist.enclave.image.plain-http") == "true" ? true : null,
            Pod = bundle.Annotation("kist.enclave.pod") ?? bundle.Annotation("io.kubernetes.cri.sandbox-id")
                ?? throw new OperationFailedException("read enclave image", image, "no pod is named whose agent could pull it", "annotation kist.enclave.pod: the agent container's identifier"),
        };
    }

    private static T? Annotated<T>(OciBundle bundle, string annotation, JsonTypeInfo<T> type)
        where T : class
    {
        if (Measured(bundle, annotation) is not { } json)
            return null;
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException e)
        {
            throw new MalformedDataException($"annotation {annotation}", e.BytePositionInLine ?? -1, $"not such a JSON value (at {e.Path})", e);
        }
    }

    /// <summary>The environment without the variables that are for the runtime.</summary>
    public static ImmutableArray<string> ProgramEnvironment(OciBundle bundle)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        return [.. bundle.Environment.Where(v => !s_variables.Contains(NameOf(v)))];
    }

    private static string? Setting(OciBundle bundle, string variable, string annotation) =>
        bundle.Environment.LastOrDefault(v => NameOf(v) == variable) is { } set ? set[(variable.Length + 1)..] : bundle.Annotation(annotation);

    /// <summary>An annotation, or the variable in its place.</summary>
    private static string? Measured(OciBundle bundle, string annotation) =>
        s_measured.Contains(annotation) ? NullIfEmpty(Setting(bundle, VariableOf(annotation), annotation)) : bundle.Annotation(annotation);

    /// <summary>kist.enclave.root.bytes is KIST_ENCLAVE_ROOT_BYTES.</summary>
    private static string VariableOf(string annotation) => annotation.ToUpperInvariant().Replace('.', '_');

    private static long? NumberOf(OciBundle bundle, string annotation) => Measured(bundle, annotation) switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 => number,
        _ => throw new MalformedDataException($"annotation {annotation}", -1, "no whole number above 0"),
    };

    private static void RefuseEpid(string? type)
    {
        switch (type)
        {
            case null or "" or "ecdsa":
                return;
            case "epidUnlinkable" or "epidLinkable":
                throw new OperationFailedException(
                    "read attestation type", type, "Intel has shut the EPID attestation service down; such quotes prove nothing any more", "use ecdsa");
            default:
                throw new OperationFailedException("read attestation type", type, "no such attestation", "use ecdsa");
        }
    }

    private static ImmutableArray<ImmutableArray<string>> CommandsOf(string? json)
    {
        if (json is null)
            return [];
        using var document = StrictJson.Parse(System.Text.Encoding.UTF8.GetBytes(json), 1 << 20, "annotation kist.enclave.exec");
        try
        {
            return [.. document.RootElement.EnumerateArray().Select(c => ImmutableArray.CreateRange(c.EnumerateArray().Select(a => a.GetString()!)))];
        }
        catch (InvalidOperationException e)
        {
            throw new MalformedDataException("annotation kist.enclave.exec", -1, "not an array of arrays of texts", e);
        }
    }

    private static string NameOf(string variable) => variable.Split('=')[0];

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(ManifestAgent))]
[JsonSerializable(typeof(ManifestBroker))]
[JsonSerializable(typeof(ManifestSecret[]))]
internal sealed partial class EnclaveOptionsJson : JsonSerializerContext;
