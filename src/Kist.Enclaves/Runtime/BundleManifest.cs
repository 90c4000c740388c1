using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Kist.Enclaves.Manifests;
using Kist.Formats;
using Kist.Linux.Isolation;

namespace Kist.Enclaves.Runtime;

/// <summary>The manifest of the application that a bundle describes, and the comparison of a bundle with a manifest.</summary>
public static class BundleManifest
{
    private const long DefaultRootBytes = 4L << 30;
    private const long DefaultOpenFiles = 65536;

    private static readonly ManifestFile s_emptyRoot = new() { Path = "/", Type = ManifestFileType.Directory, Uid = 0, Gid = 0, Mode = 0x1ed };

    /// <summary>Makes the manifest: reads every file of the bundle's root.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="options">Its enclave options.</param>
    /// <param name="skipped">Is told what of the root does not exist in an enclave; may be null.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static EnclaveManifest Create(
        OciBundle bundle, EnclaveOptions options, Action<string>? skipped = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        ArgumentNullException.ThrowIfNull(options);
        return new EnclaveManifest
        {
            Version = EnclaveManifest.CurrentVersion,
            ImageDigest = options.ImageDigest,
            Process = ProcessOf(bundle, options),
            Exec = options.Exec,
            Files = FilesOf(bundle, options, skipped, cancellationToken),
            ImageFromAgent = options.Image is null ? null : true,
            Agent = options.Agent,
            Broker = options.Broker,
            Secrets = options.Secrets,
            Mounts = MountsOf(bundle),
            ReadOnlyRoot = bundle.RootIsReadOnly,
            Limits = LimitsOf(bundle, options),
        };
    }

    /// <summary>
    /// Refuses a bundle that asks for something else than the manifest. The enclave would run the manifest's program
    /// anyway; whoever started it would believe that his own had run.
    /// </summary>
    /// <exception cref="OperationFailedException">They differ; the message says in what.</exception>
    public static void RequireMatch(EnclaveManifest manifest, OciBundle bundle, EnclaveOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(options);
        var process = ProcessOf(bundle, options);
        Require("process.args", manifest.Process.Args, process.Args);
        Require("process.env", manifest.Process.Env, process.Env);
        Require("process.cwd", [manifest.Process.Cwd], [process.Cwd]);
        Require("process.user", Describe(manifest.Process), Describe(process));
        Require("process.capabilities", manifest.Process.Capabilities, process.Capabilities);
        Require("mounts", manifest.Mounts.Select(Describe), MountsOf(bundle).Select(Describe));
        if (options.ImageDigest is { } digest)
            Require("image digest", [manifest.ImageDigest ?? "none"], [digest]);
    }

    private static ImmutableArray<ManifestFile> FilesOf(OciBundle bundle, EnclaveOptions options, Action<string>? skipped, CancellationToken cancellationToken)
    {
        var isModule = WasmRuntime.Runs(OciBundle.Texts(bundle.Process, "args"));
        var files = options.Image is not null
            ? [s_emptyRoot]
            : RootTree.Read(bundle.RootPath, skipped, new HashSet<string> { Host.HostPaths.Directory, Host.HostPaths.Wasm }, cancellationToken);
        return isModule ? WasmRuntime.AddTo(files, cancellationToken) : files;
    }

    private static void Require(string field, IEnumerable<string> manifest, IEnumerable<string> bundle)
    {
        var (expected, actual) = (manifest.ToArray(), bundle.ToArray());
        if (expected.SequenceEqual(actual, StringComparer.Ordinal))
            return;
        throw new OperationFailedException(
            "compare bundle with manifest", field, $"the manifest has [{string.Join(", ", expected)}], the container asks for [{string.Join(", ", actual)}]",
            "start the container exactly as its manifest says, or make and sign a manifest for this");
    }

    private static IEnumerable<string> Describe(ManifestProcess process) => [$"{process.Uid}:{process.Gid}", .. process.AdditionalGids.Select(g => g.ToString())];

    private static string Describe(ManifestMount mount) => $"{mount.Type} at {mount.Destination} ({string.Join(",", mount.Options)})";

    private static ManifestProcess ProcessOf(OciBundle bundle, EnclaveOptions options)
    {
        var process = bundle.Process;
        var user = process["user"] as JsonObject;
        var capabilities = process["capabilities"] as JsonObject;
        var args = OciBundle.Texts(process, "args");
        return new ManifestProcess
        {
            Args = WasmRuntime.Runs(args) ? WasmRuntime.CommandLine(args, options) : [.. args],
            Env = EnclaveOptions.ProgramEnvironment(bundle),
            Cwd = OciBundle.Text(process, "cwd") ?? "/",
            Uid = (uint)OciBundle.Number(user, "uid", 0),
            Gid = (uint)OciBundle.Number(user, "gid", 0),
            AdditionalGids = [.. (user?["additionalGids"] as JsonArray)?.Select(g => (uint)g!.GetValue<long>()) ?? []],
            Capabilities = capabilities is null
                ? []
                : [.. OciBundle.Texts(capabilities, "effective").Where(c => Capability.Find(c) is not null).Distinct().Order(StringComparer.Ordinal)],
            Terminal = process["terminal"]?.GetValue<bool>() ?? false,
        };
    }

    private static ImmutableArray<ManifestMount> MountsOf(OciBundle bundle)
    {
        var mounts = ImmutableArray.CreateBuilder<ManifestMount>();
        foreach (var node in bundle.Config["mounts"] as JsonArray ?? [])
        {
            var mount = node as JsonObject ?? throw OciBundle.Malformed("mounts holds something else than objects");
            var options = OciBundle.Texts(mount, "options");
            var type = options.Any(o => o is "bind" or "rbind") ? "bind" : OciBundle.Text(mount, "type") ?? "bind";
            mounts.Add(new ManifestMount
            {
                Destination = Normalize(OciBundle.Text(mount, "destination") ?? throw OciBundle.Malformed("a mount has no destination")),
                Type = type == "none" ? "bind" : type,
                Options = [.. options],
            });
        }

        return mounts.ToImmutable();
    }

    private static string Normalize(string path) => "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries));

    private static ManifestLimits LimitsOf(OciBundle bundle, EnclaveOptions options)
    {
        var openFiles = DefaultOpenFiles;
        foreach (var limit in bundle.Process["rlimits"] as JsonArray ?? [])
        {
            if (limit is JsonObject o && OciBundle.Text(o, "type") == "RLIMIT_NOFILE")
                openFiles = OciBundle.Number(o, "hard", openFiles);
        }

        return new ManifestLimits
        {
            RootBytes = options.RootBytes ?? DefaultRootBytes,
            OpenFiles = Math.Clamp(openFiles, 1, 1 << 20),
        };
    }
}
