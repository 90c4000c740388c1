using System.Text.Json;
using Kist.Formats;
using Kist.Pods.Protocol;

namespace Kist.Host;

/// <summary>
/// The smallest policy under which what was observed would have been allowed: each container that was created, exactly as it
/// was, and of exec, services, output and input what was asked for. It says nothing of what should be: its owner reads it.
/// </summary>
public static class PolicyLearner
{
    private const string Structure = "record of requests";

    /// <summary>Pins what one or more records of the same workload have.</summary>
    /// <exception cref="OperationFailedException">Two runs of one container differ, so that neither can be pinned.</exception>
    /// <exception cref="MalformedDataException">An input is none of the agent's.</exception>
    public static IReadOnlyList<PinnedContainer> Learn(IReadOnlyList<LearnedRequest> requests)
    {
        var created = requests.Where(r => r.Rule == "CreateContainerRequest").GroupBy(r => NameOf(r.Input)).OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        if (created.Count == 0)
            throw new OperationFailedException("learn policy", "record", "no container was created", "run the workload with kist run --learn FILE");
        return [.. created.Select(g => Pin(g.Key, [.. g], [.. requests.Where(r => r.Rule != "CreateContainerRequest" && NameOf(r.Input) == g.Key)]))];
    }

    private static PinnedContainer Pin(string name, IReadOnlyList<LearnedRequest> created, IReadOnlyList<LearnedRequest> others)
    {
        var first = created[0].Input;
        var process = first.GetProperty("OCI").GetProperty("Process");
        foreach (var next in created.Skip(1))
            RequireSame(name, first, next.Input);
        return new PinnedContainer
        {
            Name = name,
            Reference = $"{Text(first, "image", "reference")}@{Text(first, "image", "manifest_digest")}",
            ManifestDigest = Text(first, "image", "manifest_digest"),
            Encrypted = first.GetProperty("image").GetProperty("encrypted").GetBoolean(),
            Args = [.. Texts(process, "Args").Select(PinnedText.Exactly)],
            Env = [.. Texts(process, "Env").Select(PinnedText.Exactly)],
            Cwd = Text(process, "Cwd"),
            Users = [Text(process, "User", "Username")],
            Capabilities = Texts(process, "Capabilities"),
            Terminal = process.GetProperty("Terminal").GetBoolean(),
            ReadOnlyRoot = first.GetProperty("OCI").GetProperty("Root").GetProperty("Readonly").GetBoolean(),
            WritableDisk = first.TryGetProperty("writable_layer", out var layer) && layer.ValueEquals("disk"),
            Volumes = [.. first.GetProperty("volumes").EnumerateArray().Select(Volume)],
            AfterCompletion = Texts(first.GetProperty("pod"), "completed"),
            Output = Asked(others, "ReadStreamRequest"),
            Input = Asked(others, "WriteStreamRequest"),
            Exec = [.. others.Where(r => r.Rule == "ExecProcessRequest").Select(r => Texts(r.Input.GetProperty("process"), "Args")).DistinctBy(a => string.Join('\0', a))],
            Services =
            [
                .. others.Where(r => r.Rule == "GuestServiceRequest").Select(r => new PinnedService(Text(r.Input, "service"), Text(r.Input, "resource")))
                    .Distinct().OrderBy(s => s.Name, StringComparer.Ordinal).ThenBy(s => s.Resource, StringComparer.Ordinal),
            ],
        };
    }

    /// <summary>An input of an executed process is not one of the container's own streams.</summary>
    private static bool Asked(IReadOnlyList<LearnedRequest> requests, string rule) =>
        requests.Any(r => r.Rule == rule && !(r.Input.TryGetProperty("exec_id", out var id) && id.GetString() is { Length: > 0 }));

    private static void RequireSame(string name, JsonElement first, JsonElement next)
    {
        foreach (var part in (string[])["image", "OCI", "volumes"])
        {
            // The identifier that stands in for a host name is another each time.
            if (part != "OCI" && !JsonElement.DeepEquals(first.GetProperty(part), next.GetProperty(part)))
                throw Differs(name, part);
        }

        foreach (var part in (string[])["Process", "Root"])
        {
            if (!JsonElement.DeepEquals(first.GetProperty("OCI").GetProperty(part), next.GetProperty("OCI").GetProperty(part)))
                throw Differs(name, part);
        }
    }

    private static OperationFailedException Differs(string name, string part) => new(
        "learn policy", name, $"its {part} differs between runs, so that neither can be pinned", "learn from one run, and write what varies as a pattern by hand");

    private static PinnedVolume Volume(JsonElement volume) => new(
        new VolumeInput(Text(volume, "name"), Text(volume, "mount_path"), volume.GetProperty("read_only").GetBoolean(), Text(volume, "kind"))
        {
            SizeBytes = volume.GetProperty("size_bytes").GetUInt64(),
            Key = Text(volume, "key"),
            Files = [.. volume.GetProperty("files").EnumerateArray().Select(f => new VolumeFileInput(Text(f, "path"), f.GetProperty("mode").GetUInt32(), Text(f, "digest")))],
        });

    private static string NameOf(JsonElement input) => input.TryGetProperty("container_name", out var name) ? name.GetString() ?? "" : "";

    private static string Text(JsonElement value, params string[] path)
    {
        foreach (var name in path)
            value = value.GetProperty(name);
        return value.GetString() ?? throw new MalformedDataException(Structure, -1, $"\"{path[^1]}\" is null");
    }

    private static IReadOnlyList<string> Texts(JsonElement value, string name) => [.. value.GetProperty(name).EnumerateArray().Select(e => e.GetString() ?? "")];
}
