using System.Text.Json.Nodes;
using Kist.Enclaves.Host;
using Kist.Enclaves.ImageAgents;
using Kist.Enclaves.Runtime;
using Kist.Formats;

namespace Kist.Rune;

/// <summary>The commands that do something else for enclave containers than for ordinary ones.</summary>
static class ContainerCommands
{
    /// <summary>"create" and "run".</summary>
    public static async Task<int> CreateAsync(CommandLine line)
    {
        var bundle = OciBundle.Read(line.Value("--bundle", "-b") ?? Directory.GetCurrentDirectory());
        if (EnclaveOptions.Read(bundle) is not { } options)
            return Runtime.Become(line.All);
        var places = RuntimePlaces.Default;
        var container = Container(line, line.Id);
        var agent = options.Pod is { } pod ? Agent(line, pod) : null;
        container.Prepare(bundle, options, places, agent, Note);
        try
        {
            PlatformStarter.Ensure(places);
            if (agent is not null)
                Pull(agent, options);
            var exit = await Runtime.CallAsync(line.WithBundle(container.Bundle));
            if (line.Command == "create" ? exit != 0 : exit != 0 || !line.Has("--detach", "-d"))
                container.Remove();
            return exit;
        }
        catch
        {
            container.Remove();
            throw;
        }
    }

    private static EnclaveContainer Agent(CommandLine line, string pod)
    {
        var agent = Container(line, CommandLine.CheckId(pod));
        return Directory.Exists(agent.Pod)
            ? agent : throw new OperationFailedException("find image agent", pod, "the pod has none", "create the pod's sandbox with the annotation kist.enclave.agent first");
    }

    /// <summary>The agent may have been started a moment ago.</summary>
    private static void Pull(EnclaveContainer agent, EnclaveOptions options)
    {
        // Containers' identifiers are long, the names of sockets must be short.
        using var directory = Kist.Linux.Files.DirectoryRoot.Open(agent.Pod);
        using var client = ImageAgentClient.Connect($"{directory.ProcPath}/{HostPaths.ImageAgentName}", TimeSpan.FromSeconds(20));
        client.Pull(options.Image!.ToString(), options.PlainHttp);
    }

    /// <summary>"start": a platform that nobody used since the container was created has ended.</summary>
    public static int Start(CommandLine line)
    {
        if (Container(line, line.Id).Exists)
            PlatformStarter.Ensure(RuntimePlaces.Default);
        return Runtime.Become(line.All);
    }

    /// <summary>"state": as the underlying runtime says, with the caller's own bundle.</summary>
    public static async Task<int> StateAsync(CommandLine line)
    {
        var container = Container(line, line.Id);
        if (!container.Exists)
            return Runtime.Become(line.All);
        var (exit, output) = await Runtime.CaptureAsync(line.All);
        if (exit != 0)
            return exit;
        var state = JsonNode.Parse(output) as JsonObject ?? throw new MalformedDataException("state", -1, "the underlying runtime printed no JSON object");
        state["bundle"] = container.OriginalBundle;
        var annotations = state["annotations"] as JsonObject ?? [];
        if (annotations.Parent is null)
            state["annotations"] = annotations;
        annotations["kist.enclave.mrenclave"] = container.MrEnclave;
        annotations["kist.enclave.platform"] = "simulated";
        Console.Out.WriteLine(state.ToJsonString());
        return 0;
    }

    /// <summary>"delete": also what was written for the enclave.</summary>
    public static async Task<int> DeleteAsync(CommandLine line)
    {
        var container = Container(line, line.Id);
        if (!container.Exists)
            return Runtime.Become(line.All);
        var exit = await Runtime.CallAsync(line.All);
        if (exit == 0 || line.Has("--force", "-f"))
            container.Remove();
        return exit;
    }

    /// <summary>"checkpoint" and "restore": an enclave's memory cannot be written to a file.</summary>
    public static int Checkpoint(CommandLine line) =>
        Container(line, line.Id).Exists
            ? throw new OperationFailedException(line.Command!, line.Id, "an enclave cannot be checkpointed", "stop it and start it again")
            : Runtime.Become(line.All);

    /// <summary>"spec": the underlying runtime's, with rune's annotations.</summary>
    public static async Task<int> SpecAsync(CommandLine line)
    {
        var exit = await Runtime.CallAsync(line.All);
        if (exit != 0)
            return exit;
        var directory = line.Value("--bundle", "-b") ?? Directory.GetCurrentDirectory();
        var bundle = OciBundle.Read(directory);
        bundle.Config["annotations"] = new JsonObject
        {
            ["enclave.type"] = EnclaveOptions.IntelSgx,
            ["enclave.runtime.path"] = "",
            ["enclave.runtime.args"] = "",
            ["enclave.runtime.loglevel"] = "info",
        };
        bundle.WriteTo(directory);
        return 0;
    }

    /// <summary>"features": the underlying runtime's, and the annotations that are known here.</summary>
    public static async Task<int> FeaturesAsync(CommandLine line)
    {
        var (exit, output) = await Runtime.CaptureAsync(line.All);
        var features = (exit == 0 ? JsonNode.Parse(output) : null) as JsonObject ?? new JsonObject { ["ociVersionMin"] = "1.0.0", ["ociVersionMax"] = "1.0.2" };
        var annotations = features["annotations"] as JsonObject ?? [];
        if (annotations.Parent is null)
            features["annotations"] = annotations;
        annotations["kist.enclave.types"] = EnclaveOptions.IntelSgx;
        annotations["kist.enclave.platform"] = "simulated";
        Console.Out.WriteLine(features.ToJsonString());
        return 0;
    }

    public static EnclaveContainer Container(CommandLine line, string id) => RuntimePlaces.Default.Container(line.GlobalValue("--root"), id);

    private static void Note(string message) => Console.Error.WriteLine($"kist-rune: {message}");
}
