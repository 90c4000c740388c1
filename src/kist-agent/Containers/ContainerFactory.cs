using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Agent.Boot;
using Kist.Agent.Images;
using Kist.Agent.Policy;
using Kist.Images;
using Kist.Linux.Files;
using Kist.Linux.Processes;
using Kist.Oci;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Containers;

/// <summary>Makes a container of a request: pulls the image, asks the policy, writes the bundle.</summary>
sealed class ContainerFactory(Guest guest, ChildReaper reaper)
{
    private const uint DefaultPids = 4096;

    public static string FolderOf(string id) => $"{FileSystems.Work}/containers/{id}";

    public async Task<(Container Container, CreateContainerResponse Response)> CreateAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        var reference = ImageReference.Parse(request.Image);
        var folder = FolderOf(request.ContainerId);
        Directory.CreateDirectory(folder);
        ContainerProcess? process = null;
        PullCandidate? approved = null;
        var steps = new PullProgressSteps(guest.Progress);
        using var pull = guest.Progress.Start("image.pull", reference.ToString());
        try
        {
            var options = new PullOptions
            {
                Approve = async (candidate, token) =>
                {
                    approved = candidate;
                    process = Merge(candidate.Config, request);
                    guest.Policy.Require(PolicyRules.CreateContainer, json => WritePolicyInput(json, request, reference, candidate, process));
                    await guest.RecordImageAsync(reference.ToString(), candidate.ManifestDigest.ToString(), token);
                },
            };
            var registry = new RegistryOptions
            {
                PlainHttp = request.InsecureRegistry,
                CertificateAuthorities = [.. guest.Configuration.RegistryAuthoritiesPem.Select(p => X509Certificate2.CreateFromPem(p))],
            };
            var image = await ImagePuller.PullAsync(reference, registry, guest.Keys, folder, options, steps, cancellationToken);
            pull.Finish();
            using var bundle = guest.Progress.Start("container.bundle", request.ContainerId);
            var plan = Plan(request, process!, image.RootFileSystem, folder);
            WriteBundle(plan, folder);
            bundle.Finish();
            return (new Container(plan, folder, request.Stdin, reaper), new CreateContainerResponse
            {
                ImageDigest = image.ManifestDigest.ToString(),
                Encrypted = image.EncryptedLayers == image.Layers && image.Layers > 0,
                ImageBytes = (ulong)approved!.ContentBytes,
            });
        }
        catch
        {
            steps.Abandon();
            Remove(request.ContainerId);
            throw;
        }
    }

    /// <summary>Deletes a container's folder, whatever its image put there.</summary>
    public static void Remove(string id)
    {
        using var parent = DirectoryHandle.Open($"{FileSystems.Work}/containers");
        parent.RemoveTree(System.Text.Encoding.UTF8.GetBytes(id));
    }

    private static ContainerProcess Merge(ImageConfiguration image, CreateContainerRequest request)
    {
        var config = image.Config;
        return ContainerProcess.Merge(
            new ImageProcessDefaults(
                config?.EntryPoint ?? [], config?.Command ?? [], config?.Environment ?? [], config?.WorkingDirectory ?? "", config?.User ?? ""),
            new ProcessOverrides(
                request.EntrypointOverride ? [.. request.Entrypoint] : null, [.. request.Arguments],
                [.. request.Environment.Select(e => $"{e.Name}={e.Value}")], request.WorkingDirectory, request.User));
    }

    private static ContainerPlan Plan(CreateContainerRequest request, ContainerProcess process, string root, string folder) => new()
    {
        Id = request.ContainerId,
        RootFileSystem = root,
        Process = process,
        User = ContainerUser.Resolve(process.User, root),
        Hostname = HostnameOf(request),
        Terminal = request.Tty,
        ReadOnlyRoot = request.ReadOnlyRoot,
        MemoryBytes = request.Limits?.MemoryBytes ?? 0,
        CpuMillis = request.Limits?.CpuMillis ?? 0,
        Pids = request.Limits is { Pids: > 0 } limits ? limits.Pids : DefaultPids,
        EtcFolder = folder,
    };

    private static string HostnameOf(CreateContainerRequest request) => request.Hostname.Length > 0 ? request.Hostname : request.ContainerId;

    private static void WriteBundle(ContainerPlan plan, string folder)
    {
        // Root owns them and everybody may read them: they are mounted into the container.
        File.WriteAllText(Path.Combine(folder, "hostname"), plan.Hostname + "\n");
        File.WriteAllText(Path.Combine(folder, "hosts"), $"127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t{plan.Hostname}\n");
        File.WriteAllText(Path.Combine(folder, "resolv.conf"), "# The pod's network has no name server.\n");
        File.WriteAllBytes(Path.Combine(folder, "config.json"), RuntimeSpecWriter.Write(plan));
    }

    /// <summary>docs/agent-policy.md, "CreateContainerRequest".</summary>
    private static void WritePolicyInput(
        Utf8JsonWriter json, CreateContainerRequest request, ImageReference reference, PullCandidate image, ContainerProcess process)
    {
        json.WriteString("container_id", request.ContainerId);
        json.WriteStartObject("image");
        json.WriteString("reference", reference.Name);
        json.WriteString("manifest_digest", image.ManifestDigest.ToString());
        json.WriteString("config_digest", image.ConfigDigest.ToString());
        json.WriteBoolean("encrypted", image.Layers > 0 && image.EncryptedLayers == image.Layers);
        json.WriteEndObject();
        json.WriteStartObject("OCI");
        json.WriteStartObject("Process");
        WriteStrings(json, "Args", process.Args);
        WriteStrings(json, "Env", process.Env);
        json.WriteString("Cwd", process.Cwd);
        json.WriteStartObject("User");
        json.WriteString("Username", process.User);
        json.WriteEndObject();
        json.WriteBoolean("Terminal", request.Tty);
        WriteStrings(json, "Capabilities", DefaultCapabilities.Names);
        json.WriteBoolean("NoNewPrivileges", true);
        json.WriteEndObject();
        json.WriteStartObject("Root");
        json.WriteBoolean("Readonly", request.ReadOnlyRoot);
        json.WriteEndObject();
        json.WriteString("Hostname", HostnameOf(request));
        json.WriteEndObject();
        json.WriteStartObject("limits");
        json.WriteNumber("memory_bytes", request.Limits?.MemoryBytes ?? 0);
        json.WriteNumber("cpu_millis", request.Limits?.CpuMillis ?? 0);
        json.WriteNumber("pids", request.Limits?.Pids ?? 0);
        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
