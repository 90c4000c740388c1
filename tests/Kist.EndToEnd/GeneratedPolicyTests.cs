using System.Text.Json;
using Kist.Formats;
using Kist.Host;
using Kist.Pods;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.EndToEnd;

/// <summary>
/// <c>kist policy generate</c> as its owner uses it: from manifests to policies and predicted measurements, and then a guest
/// that attests with them, to a host that first does as the manifest says and then does not.
/// </summary>
public sealed class GeneratedPolicyTests(Installation installation) : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-e2e-generate-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Generate_EveryKind_IsReportedWithItsMeasurement()
    {
        using var report = await GenerateAsync();
        var pods = report.RootElement.EnumerateArray().ToList();
        Assert.Equal(
            ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet", "Pod"], pods.Select(p => p.GetProperty("kind").GetString()));
        foreach (var pod in pods)
        {
            var measurement = pod.GetProperty("measurement");
            Assert.Equal(pod.GetProperty("initDataDigest").GetString(), measurement.GetProperty("mr_config_id").GetString());
            foreach (var register in (string[])["mr_td", "rtmr_0", "rtmr_1", "rtmr_2"])
                Assert.Equal(96, measurement.GetProperty(register).GetString()!.Length);
            var name = $"{pod.GetProperty("kind").GetString()}-{pod.GetProperty("name").GetString()}".ToLowerInvariant();
            using var file = JsonDocument.Parse(await File.ReadAllTextAsync(At($"out/{name}.reference.json"), Cancel));
            Assert.True(JsonElement.DeepEquals(measurement, file.RootElement));
        }

        // One guest, one platform: they differ by their policies alone.
        Assert.Single(pods.Select(p => p.GetProperty("measurement").GetProperty("rtmr_0").GetString()).Distinct());
        Assert.Equal(pods.Count, pods.Select(p => p.GetProperty("initDataDigest").GetString()).Distinct().Count());

        // The same command again gives the same bytes, and kist policy try agrees with it.
        var before = await File.ReadAllTextAsync(At("out/manifests.yaml"), Cancel);
        using var again = await GenerateAsync();
        Assert.Equal(before, await File.ReadAllTextAsync(At("out/manifests.yaml"), Cancel));
        var tried = await installation.Kist.RunAsync("policy", "try", "-f", At("job.yaml"), "--policy", At("out/job-once.policy.rego"), "--json");
        Assert.True(tried.ExitCode == 0, tried.ToString());
        var other = await installation.Kist.RunAsync("policy", "try", "-f", At("job.yaml"), "--policy", At("out/pod-lone.policy.rego"));
        Assert.Equal(3, other.ExitCode);
    }

    [Fact]
    public async Task Generated_Pod_AttestsAndRunsWhatItsManifestSaysAndNothingElse()
    {
        using var report = await GenerateAsync();
        await installation.MustAsync("reference", "add", At("out/pod-lone.reference.json"), "--name", "generated-lone");
        using var guest = GuestImage.Load(installation.State.Guest);
        var platform = new SimulatedTrustPlatform(new SimulatorStore(installation.State).LoadOrCreateVendor());
        await using var pod = await new PodLauncher(platform, TimeProvider.System).LaunchAsync(
            new PodSpec
            {
                Guest = guest,
                InitData = await File.ReadAllBytesAsync(At("out/pod-lone.init-data.toml"), Cancel),
                Doors = [Door(installation.Endpoints.Broker.Port), Door(int.Parse(installation.Endpoints.Registry.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture))],
            },
            cancellationToken: Cancel);

        // The image is encrypted: its key comes from the broker, to a guest that measures as predicted, or not at all.
        foreach (var hostile in (Action<CreateContainerRequest>[])[r => r.Entrypoint[^1] = "cat /etc/secret", r => r.Environment.Add(new EnvironmentVariable { Name = "LD_PRELOAD", Value = "/x" }), r => r.Name = "other", r => r.Tty = true, r => r.User = "1000:1000"])
        {
            var refusal = await Assert.ThrowsAnyAsync<OperationFailedException>(() => CreateAsync(pod, "x0", hostile));
            Assert.Equal(FailureCode.PolicyDenied, HostilePod.CodeOf(refusal));
        }

        await CreateAsync(pod, "x1", _ => { });
        await pod.Agent.StartContainerAsync("x1", Cancel);
        Assert.Equal(7, (await pod.Agent.WaitProcessAsync("x1", Cancel)).ExitCode);
        var read = await Assert.ThrowsAnyAsync<OperationFailedException>(() => pod.Agent.ReadOutputAsync(new ReadOutputRequest { ContainerId = "x1" }, Cancel));
        Assert.Equal(FailureCode.PolicyDenied, HostilePod.CodeOf(read));
        var connection = await Assert.ThrowsAnyAsync<OperationFailedException>(() => pod.Agent.OpenConnectionAsync(8080, Cancel));
        Assert.Equal(FailureCode.PolicyDenied, HostilePod.CodeOf(connection));
    }

    private Task<CreateContainerResponse> CreateAsync(RunningPod pod, string id, Action<CreateContainerRequest> change)
    {
        var request = new CreateContainerRequest
        {
            ContainerId = id,
            Name = "main",
            Image = installation.Image,
            EntrypointOverride = true,
            Entrypoint = { "sh", "-c", "echo secret work; exit 7" },
            Environment = { new EnvironmentVariable { Name = "KUBERNETES_SERVICE_HOST", Value = "10.96.0.1" }, new EnvironmentVariable { Name = "HOSTNAME", Value = "lone" } },
            WorkingDirectory = "/",
            User = "0:0",
            Hostname = "lone",
            InsecureRegistry = true,
            RegistryByDoor = true,
        };
        change(request);
        return pod.Agent.CreateContainerAsync(request, TimeSpan.FromMinutes(2), Cancel);
    }

    private async Task<JsonDocument> GenerateAsync()
    {
        var image = installation.Require().Image;
        string Template(string command) => $"template: {{spec: {{automountServiceAccountToken: false, restartPolicy: Always, containers: [{{name: main, image: \"{image}\", command: [sh, -c, \"{command}\"]}}]}}}}";
        await File.WriteAllTextAsync(
            At("several.yaml"),
            string.Join("\n---\n",
                $"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{selector: {{}}, {Template("web")}}}",
                $"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db}}\nspec: {{selector: {{}}, {Template("db")}}}",
                $"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: node}}\nspec: {{selector: {{}}, {Template("node")}}}"),
            Cancel);
        await File.WriteAllTextAsync(At("job.yaml"), $"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: once}}\nspec: {{{Template("once")}}}", Cancel);
        await File.WriteAllTextAsync(
            At("list.json"),
            $$"""
            {"apiVersion": "v1", "kind": "List", "items": [
              {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec":
                {"automountServiceAccountToken": false, "containers": [{"name": "main", "image": "{{image}}", "command": ["sh", "-c", "nightly"]}]} } } } } },
              {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "set"}, "spec": {"template": {"spec":
                {"automountServiceAccountToken": false, "containers": [{"name": "main", "image": "{{image}}", "command": ["sh", "-c", "set"]}]} } } },
              {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, "spec":
                {"automountServiceAccountToken": false, "containers": [{"name": "main", "image": "{{image}}", "command": ["sh", "-c", "echo secret work; exit 7"]}]} }
            ]}
            """,
            Cancel);
        return JsonDocument.Parse(await installation.MustAsync("policy", "generate", "-f", At("several.yaml"), "-f", At("job.yaml"), "-f", At("list.json"), "--json", "-o", At("out")));
    }

    private static GuestDoor Door(int port) => new(port, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));

    private string At(string name) => Path.Combine(_folder, name);
}
