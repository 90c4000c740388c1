using System.Collections.Immutable;
using Kist.Formats;
using Kist.Linux.Isolation;

namespace Kist.Enclaves.Manifests;

/// <summary>What a manifest must satisfy beyond its JSON shape.</summary>
static class ManifestRules
{
    private const string Name = "enclave manifest";
    private const int MaxFiles = 200_000;
    private const int MaxArguments = 4096;
    private const int MaxTextLength = 128 * 1024;
    private const int MaxPathLength = 4096;
    private const uint MaxMode = 0xfff;

    private static readonly HashSet<string> s_mountTypes = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "bind"];

    public static void Check(EnclaveManifest manifest)
    {
        Require(manifest.Version == EnclaveManifest.CurrentVersion, $"version {manifest.Version} is not known");
        if (manifest.ImageDigest is { } digest)
            Require(IsDigest(digest), "imageDigest is not sha256: and 64 hexadecimal digits");
        CheckProcess(manifest.Process);
        RequireArray(manifest.Exec, "exec", MaxArguments);
        foreach (var command in manifest.Exec)
            CheckArguments(command, "exec");
        CheckFiles(manifest.Files);
        CheckSources(manifest);
        RequireArray(manifest.Mounts, "mounts", MaxArguments);
        foreach (var mount in manifest.Mounts)
            CheckMount(mount);
        Require(manifest.Limits.RootBytes > 0, "limits.rootBytes must be positive");
        Require(manifest.Limits.OpenFiles is > 0 and <= 1 << 20, "limits.openFiles must lie between 1 and 1048576");
    }

    /// <summary>Where keys, secrets and the root come from.</summary>
    private static void CheckSources(EnclaveManifest manifest)
    {
        Require(manifest.ImageFromAgent is null or true, "imageFromAgent is true or not there");
        if (manifest.ImageFromAgent == true)
        {
            Require(manifest.ImageDigest is not null, "imageFromAgent needs imageDigest");
            Require(manifest.Files.Skip(1).All(f => WasmFiles.Contains(f.Path)), $"files must be the directory / alone, and what is in {WasmFiles.Directory}: they come with the image");
            Require(manifest.Agent is null, "an image agent cannot have its root from another");
        }

        if (manifest.Agent is { } agent)
        {
            RequireArray(agent.Applications, "agent.applications", MaxArguments);
            foreach (var application in agent.Applications)
                Require(IsHash(application), $"agent.applications: \"{application}\" is no MRENCLAVE");
            Require(IsSorted(agent.Applications), "agent.applications must be sorted, each once");
            Require(agent.RegistryCredentials is null || manifest.Broker is not null, "agent.registryCredentials need a broker");
            CheckText(agent.RegistryCredentials ?? "", "agent.registryCredentials");
            CheckText(agent.RegistryAuthorities ?? "", "agent.registryAuthorities");
        }

        if (manifest.Broker is { } broker)
        {
            CheckText(broker.Url, "broker.url");
            CheckText(broker.Certificate, "broker.certificate");
            Require(
                Uri.TryCreate(broker.Url, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps && url.HostNameType is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6,
                "broker.url is no https address");
            Require(broker.Protocol is null or "ra-tls", "broker.protocol is neither \"ra-tls\" nor absent");
        }

        foreach (var secret in manifest.Secrets ?? [])
        {
            CheckText(secret.Resource, "secrets.resource");
            Require(IsPath(secret.Path) && secret.Path != "/", $"secrets: \"{secret.Path}\" is not a normalised absolute path below /");
        }

        if (manifest.Secrets is { } secrets)
        {
            Require(secrets.Length is > 0 and <= MaxArguments, "secrets must hold some, or not be there");
            Require(manifest.Broker is not null, "secrets need a broker");
        }
    }

    private static void CheckProcess(ManifestProcess process)
    {
        CheckArguments(process.Args, "process.args");
        RequireArray(process.Env, "process.env", MaxArguments);
        foreach (var variable in process.Env)
        {
            CheckText(variable, "process.env");
            Require(variable.IndexOf('=', StringComparison.Ordinal) > 0, "process.env holds an entry that is not NAME=value");
        }

        Require(IsPath(process.Cwd), "process.cwd is not a normalised absolute path");
        RequireArray(process.AdditionalGids, "process.additionalGids", MaxArguments);
        RequireArray(process.Capabilities, "process.capabilities", 64);
        foreach (var capability in process.Capabilities)
            Require(Capability.Find(capability) is not null, $"process.capabilities: {capability} is not known");
        Require(IsSorted(process.Capabilities), "process.capabilities must be sorted, each once");
    }

    private static void CheckArguments(ImmutableArray<string> arguments, string field)
    {
        RequireArray(arguments, field, MaxArguments);
        Require(arguments.Length > 0 && arguments[0].Length > 0, $"{field} names no program");
        foreach (var argument in arguments)
            CheckText(argument, field);
    }

    /// <summary>The rules for a tree.</summary>
    internal static void CheckFiles(ImmutableArray<ManifestFile> files)
    {
        RequireArray(files, "files", MaxFiles);
        Require(files.Length > 0 && files[0] is { Path: "/", Type: ManifestFileType.Directory }, "files must begin with the directory /");
        var directories = new HashSet<string>(StringComparer.Ordinal);
        string? last = null;
        foreach (var file in files)
        {
            Require(IsPath(file.Path), $"files: \"{file.Path}\" is not a normalised absolute path");
            Require(last is null || string.CompareOrdinal(last, file.Path) < 0, $"files must be sorted by path, each once, at \"{file.Path}\"");
            Require(file.Path == "/" || directories.Contains(ParentOf(file.Path)), $"files: the directory of \"{file.Path}\" is not listed before it");
            CheckFile(file);
            if (file.Type == ManifestFileType.Directory)
                directories.Add(file.Path);
            last = file.Path;
        }
    }

    private static void CheckFile(ManifestFile file)
    {
        Require(file.Mode <= MaxMode, $"files: the mode of \"{file.Path}\" has unknown bits");
        var isFile = file.Type == ManifestFileType.File;
        Require(isFile == file.Size is not null && isFile == file.Sha256 is not null && isFile == file.Modified is not null, $"files: \"{file.Path}\": size, modified and sha256 belong to files, and only to them");
        Require((file.Type == ManifestFileType.Link) == file.Target is not null, $"files: \"{file.Path}\": target belongs to links, and only to them");
        if (isFile)
            Require(file.Size >= 0 && IsHash(file.Sha256!), $"files: \"{file.Path}\": size or sha256 is none");
        else if (file.Target is { } target)
            Require(target.Length is > 0 and < MaxPathLength && !target.Contains('\0', StringComparison.Ordinal), $"files: \"{file.Path}\": target is none");
    }

    private static void CheckMount(ManifestMount mount)
    {
        Require(IsPath(mount.Destination) && mount.Destination != "/", $"mounts: \"{mount.Destination}\" is not a normalised absolute path below /");
        Require(s_mountTypes.Contains(mount.Type), $"mounts: \"{mount.Destination}\": the type {mount.Type} is not allowed");
        RequireArray(mount.Options, "mounts.options", 64);
        foreach (var option in mount.Options)
            CheckText(option, "mounts.options");
    }

    /// <summary>The directory of a path below the root.</summary>
    internal static string ParentOf(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash <= 0 ? "/" : path[..slash];
    }

    private static bool IsPath(string path) =>
        path == "/" ||
        (path.Length is > 1 and < MaxPathLength && path[0] == '/' && !path.Contains('\0', StringComparison.Ordinal) &&
         path[1..].Split('/').All(c => c is not ("" or "." or "..")));

    private static bool IsDigest(string text) => text.StartsWith("sha256:", StringComparison.Ordinal) && IsHash(text["sha256:".Length..]);

    private static bool IsHash(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    private static bool IsSorted(ImmutableArray<string> texts) =>
        texts.Zip(texts.Skip(1)).All(pair => string.CompareOrdinal(pair.First, pair.Second) < 0);

    private static void CheckText(string text, string field) =>
        Require(text is { Length: <= MaxTextLength } && !text.Contains('\0', StringComparison.Ordinal), $"{field} holds a text that is too long or has a zero byte");

    private static void RequireArray<T>(ImmutableArray<T> array, string field, int limit)
    {
        Require(!array.IsDefault, $"{field} is missing");
        Require(array.Length <= limit, $"{field} has {array.Length} entries, more than the limit of {limit}");
    }

    private static void Require(bool condition, string reason)
    {
        if (!condition)
            throw new MalformedDataException(Name, -1, reason);
    }
}
