using Kist.Host;
using Kist.Pods.Protocol;

namespace Kist.Kubernetes.Tests;

/// <summary>What kist run -f asks the agent for is what its own policy allows, and no more is asked for than the manifest says.</summary>
public sealed class PodRunPlannerTests
{
    private const string Manifest =
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {web.conf: "listen 8080\n"}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: shop, labels: {app: shop}}
        spec:
          restartPolicy: OnFailure
          initContainers:
          - {name: migrate, image: "registry.example/migrate:v1"}
          - {name: proxy, image: "registry.example/proxy:v1", restartPolicy: Always}
          containers:
          - name: web
            image: registry.example/web:v1
            args: ["--pod", "$(POD)", "--ip", "$(IP)"]
            stdin: true
            env:
            - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
            - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
            - {name: UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
            resources: {limits: {memory: 64Mi, cpu: 250m}}
            volumeMounts:
            - {name: conf, mountPath: /etc/web}
            - {name: cache, mountPath: /cache}
            - {name: tmp, mountPath: /tmp/x}
          - {name: db, image: "registry.example/db:v1"}
          volumes:
          - {name: conf, configMap: {name: settings}}
          - {name: cache, emptyDir: {sizeLimit: 64Mi}}
          - {name: tmp, emptyDir: {}}
        """;

    private static async Task<(IReadOnlyList<PlannedContainer> Containers, string Hostname)> PlanAsync(string manifest, RunRequest? request = null)
    {
        var (containers, hostname, _) = await PodRunPlanner.PlanAsync(
            (request ?? new RunRequest { Image = "pod.yaml" }) with { Manifests = [new RunManifest("pod.yaml", manifest)] }, Pods.ResolveAsync, TestContext.Current.CancellationToken);
        return (containers, hostname);
    }

    [Fact]
    public async Task Plan_EveryRequest_IsAllowedByThePolicyOfThePlan()
    {
        var (containers, hostname) = await PlanAsync(Manifest);
        Assert.Equal("shop", hostname);
        Assert.Equal(["migrate", "proxy", "web", "db"], containers.Select(c => c.Pinned.Name));
        Assert.Equal([true, false, false, false], containers.Select(c => c.IsInit));
        Assert.Equal([false, true, false, false], containers.Select(c => c.IsSidecar));
        var trial = AgentPolicyTrial.Compile(WorkloadPolicy.Write([.. containers.Select(c => c.Pinned)]));
        foreach (var container in containers)
        {
            var result = trial.Create(InputOf(container));
            Assert.True(result.IsAllowed, $"{container.Pinned.Name}: {string.Join("; ", result.Conditions)} {string.Join("; ", result.Failures)}");
            Assert.False(trial.Create(InputOf(container) with { Hostname = "other" }).IsAllowed);
        }
    }

    [Fact]
    public async Task Plan_WebContainer_IsAskedForAsTheManifestSays()
    {
        var (containers, _) = await PlanAsync(Manifest);
        var web = containers[2];
        Assert.Equal(["/entry", "--pod", "shop", "--ip", "127.0.0.1"], web.Create.Entrypoint);
        Assert.Contains(web.Create.Environment, e => e is { Name: "POD", Value: "shop" });
        Assert.True(web.Create.Stdin);
        Assert.Equal(64u << 20, web.Create.Limits.MemoryBytes);
        Assert.Equal(250u, web.Create.Limits.CpuMillis);
        Assert.Equal(new RestartRule(RestartCondition.OnFailure), web.Restart);
        Assert.Equal("listen 8080\n", Assert.Single(web.Create.Volumes.Single(v => v.Name == "conf").Files.Files).Content.ToStringUtf8());
        var disk = Assert.Single(web.Disks);
        Assert.Equal(disk.Serial, web.Create.Volumes.Single(v => v.Name == "cache").Scratch.Disk);
        Assert.InRange(disk.Serial.Length, 1, 20);
        Assert.Empty(web.Create.Volumes.Single(v => v.Name == "tmp").Scratch.Disk);
        Assert.DoesNotContain(web.Create.Volumes, v => v.MountPath.Contains("serviceaccount", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Plan_Twice_SameInitData()
    {
        var (first, _) = await PlanAsync(Manifest);
        var (second, _) = await PlanAsync(Manifest);
        Assert.Equal(WorkloadPolicy.Write([.. first.Select(c => c.Pinned)]), WorkloadPolicy.Write([.. second.Select(c => c.Pinned)]));
    }

    [Fact]
    public async Task Plan_Grants_ReachTheContainerThatIsNamed()
    {
        var (containers, _) = await PlanAsync(Manifest, new RunRequest
        {
            Image = "pod.yaml",
            Services = [new ContainerGrant<PinnedService>("web", new PinnedService("resource", "kbs:///default/web/key"))],
            ExecCommands = [new ContainerGrant<IReadOnlyList<string>>(null, ["date"])],
        });
        Assert.Single(containers[2].Pinned.Services);
        Assert.Empty(containers[3].Pinned.Services);
        Assert.All(containers, c => Assert.Equal(["date"], Assert.Single(c.Pinned.Exec)));
    }

    [Fact]
    public async Task Plan_SeveralPods_AreRefused() => Assert.Contains(
        "2 objects", (await Assert.ThrowsAsync<Kist.Formats.OperationFailedException>(() => PlanAsync($"{Manifest}\n---\n{Pods.Pod("")}"))).Message, StringComparison.Ordinal);

    /// <summary>What the agent puts before the policy for a request.</summary>
    private static CreateContainerInput InputOf(PlannedContainer planned)
    {
        var create = planned.Create;
        return new CreateContainerInput
        {
            ContainerId = create.ContainerId,
            ContainerName = create.Name,
            ImageReference = create.Image[..create.Image.IndexOf('@', StringComparison.Ordinal)],
            ManifestDigest = planned.Image.ManifestDigest.ToString(),
            ConfigDigest = "sha256:0",
            Encrypted = true,
            Overrides = new ProcessOverrides([.. create.Entrypoint], [], [], create.WorkingDirectory, create.User),
            Process = ContainerProcess.Merge(
                planned.Image.Defaults,
                new ProcessOverrides([.. create.Entrypoint], [], [.. create.Environment.Select(e => $"{e.Name}={e.Value}")], create.WorkingDirectory, create.User)),
            Terminal = create.Tty,
            Capabilities = [.. create.Capabilities.Names],
            ReadOnlyRoot = create.ReadOnlyRoot,
            Hostname = create.Hostname,
            Volumes = [.. create.Volumes.Select(VolumeInput.Of)],
        };
    }
}
