using System.Text.Json.Nodes;
using Kist.Enclaves.Host;
using Kist.Formats;

namespace Kist.Enclaves.Runtime;

/// <summary>
/// Turns a container's configuration into that of its enclave container: the launcher is its process, with what the
/// enclave host needs to build the enclave's root, and gives up again before the program starts.
/// </summary>
static class BundleRewriter
{
    private static readonly string[] s_hostCapabilities =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
        "CAP_SYS_ADMIN", "CAP_SYS_PTRACE",
    ];

    private static readonly string[] s_capabilitySets = ["bounding", "effective", "permitted", "inheritable"];

    /// <summary>The configuration of the enclave container.</summary>
    /// <param name="bundle">The container's bundle.</param>
    /// <param name="share">Host directory that becomes <see cref="HostPaths.Directory"/>.</param>
    /// <param name="platform">Host directory with the platform's sockets.</param>
    /// <param name="program">Host path of the enclave host's program.</param>
    /// <param name="pod">Host directory that the enclaves of the pod share, and whether this one may write there; null for none.</param>
    public static OciBundle Rewrite(OciBundle bundle, string share, string platform, string program, (string Directory, bool IsAgent)? pod = null)
    {
        var rewritten = bundle.Copy();
        var config = rewritten.Config;
        RequireNamespaces(config);
        OciBundle.Object(config, "root")["path"] = bundle.RootPath;
        // Hooks are told of this bundle; those that want the caller's find it by the state's annotations.
        var annotations = config["annotations"] as JsonObject ?? [];
        if (annotations.Parent is null)
            config["annotations"] = annotations;
        annotations["kist.enclave.bundle"] = bundle.Directory;
        var isModule = WasmRuntime.Runs(OciBundle.Texts(rewritten.Process, "args"));
        RewriteProcess(rewritten.Process);
        AddMounts(config, share, platform, program);
        if (isModule)
            ((JsonArray)config["mounts"]!).Add((JsonNode)Bind(WasmRuntime.HostDirectory(), HostPaths.Wasm, "ro", "noexec"));
        if (pod is { } shared)
            ((JsonArray)config["mounts"]!).Add((JsonNode)Bind(shared.Directory, HostPaths.Pod, shared.IsAgent ? "rw" : "ro", "noexec"));
        // The host filters by itself, with a supervisor; and the platform admits no process whose calls another filters.
        OciBundle.Object(config, "linux").Remove("seccomp");
        return rewritten;
    }

    /// <summary>Without a pid namespace, killing the host would leave the program running.</summary>
    private static void RequireNamespaces(JsonObject config)
    {
        var present = (OciBundle.Object(config, "linux")["namespaces"] as JsonArray ?? [])
            .OfType<JsonObject>().Select(n => OciBundle.Text(n, "type")).ToHashSet();
        foreach (var needed in new[] { "pid", "mount" })
        {
            if (!present.Contains(needed))
                throw new OperationFailedException("rewrite bundle", "linux.namespaces", $"an enclave container needs a {needed} namespace of its own", "do not share the host's");
        }
    }

    private static void RewriteProcess(JsonObject process)
    {
        process["args"] = new JsonArray(HostPaths.Program, EnclaveLauncher.LaunchCommand);
        process["env"] = new JsonArray("PATH=/");
        process["cwd"] = "/";
        process["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 };
        process["noNewPrivileges"] = false;
        process.Remove("apparmorProfile");
        var capabilities = process["capabilities"] as JsonObject ?? [];
        if (capabilities.Parent is null)
            process["capabilities"] = capabilities;
        foreach (var set in s_capabilitySets)
        {
            var names = OciBundle.Texts(capabilities, set).Union(OciBundle.Texts(capabilities, "effective")).Union(s_hostCapabilities);
            capabilities[set] = new JsonArray([.. names.Select(n => (JsonNode)n)]);
        }

        capabilities.Remove("ambient");
    }

    private static void AddMounts(JsonObject config, string share, string platform, string program)
    {
        var mounts = config["mounts"] as JsonArray ?? [];
        if (mounts.Parent is null)
            config["mounts"] = mounts;
        foreach (var mount in mounts.OfType<JsonObject>())
        {
            var destination = OciBundle.Text(mount, "destination");
            if (destination == HostPaths.Directory || destination?.StartsWith(HostPaths.Directory + "/", StringComparison.Ordinal) == true)
                throw new OperationFailedException("rewrite bundle", destination, "the place is the enclave host's own", "mount it elsewhere");
        }

        mounts.Add((JsonNode)Bind(share, HostPaths.Directory, "rw", "noexec"));
        mounts.Add((JsonNode)Bind(platform, HostPaths.Platform, "rw", "noexec"));
        mounts.Add((JsonNode)Bind(program, HostPaths.Program, "ro", "exec"));
    }

    private static JsonObject Bind(string source, string destination, params ReadOnlySpan<string> options) => new JsonObject
    {
        ["source"] = source,
        ["destination"] = destination,
        ["type"] = "bind",
        ["options"] = new JsonArray(["bind", "nosuid", "nodev", .. options.ToArray().Select(o => (JsonNode)o)]),
    };
}
