using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Kist.Host;
using Kist.Images.Secrets;
using Kist.Pods.Protocol;

namespace Kist.Kubernetes.Tests;

/// <summary>What a manifest says is what its policy allows.</summary>
public sealed class GeneratorTests
{
    private static string Full => File.ReadAllText(Path.Combine(Kist.Testing.Evidence.RepositoryRoot, "tests", "vectors", "kubernetes", "full.yaml"));

    private static readonly GenerateOptions AllOptions = new()
    {
        AllowLogs = true,
        AllowAttach = true,
        Ports = [8080],
        Exec = [new ContainerGrant<IReadOnlyList<string>>("web", ["/bin/debug", "a b"])],
        Services = [new ContainerGrant<PinnedService>("web", new PinnedService("resource", "kbs:///default/web/key"))],
    };

    [Fact]
    public async Task Generate_FullManifest_AllowsWhatAnHonestClusterAsks()
    {
        var (pods, _, _) = await Pods.GenerateAsync(Full, AllOptions);
        Assert.Equal(["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet", "ReplicationController", "Pod"], pods.Select(p => p.Workload.Kind));
        foreach (var pod in pods)
        {
            var trial = AgentPolicyTrial.Compile(pod.Policy);
            foreach (var container in pod.Containers)
            {
                foreach (var withOptional in (bool[])[true, false])
                {
                    var result = trial.Create(HonestCluster.CreateRequest(container, withOptional));
                    Assert.True(result.IsAllowed, $"{pod.Workload.FileName}/{container.Name}: {string.Join("; ", result.Conditions)} {string.Join("; ", result.Failures)}");
                }
            }
        }
    }

    [Fact]
    public async Task Generate_FullManifest_DeniesEveryDeviationAndNamesIt()
    {
        var (pods, _, _) = await Pods.GenerateAsync(Full, AllOptions);
        var trial = AgentPolicyTrial.Compile(pods[0].Policy);
        var good = HonestCluster.CreateRequest(pods[0].Containers.Single(c => c.Name == "web"), withOptional: true);
        Deny("image_allowed", good with { ManifestDigest = "sha256:22" });
        Deny("image_allowed", good with { Encrypted = false });
        Deny("args_allowed", good with { Process = good.Process with { Args = [.. good.Process.Args, "--debug"] } });
        Deny("process_allowed", good with { Process = good.Process with { User = "0" } });
        Deny("process_allowed", good with { Process = good.Process with { Cwd = "/tmp" } });
        Deny("process_allowed", good with { Capabilities = ["CAP_SYS_ADMIN"] });
        Deny("process_allowed", good with { ReadOnlyRoot = !good.ReadOnlyRoot });
        Deny("process_allowed", good with { Terminal = !good.Terminal });
        Deny("hostname_allowed", good with { Hostname = "evil" });
        foreach (var entry in good.Process.Env)
            Deny("env_allowed", good with { Process = good.Process with { Env = [.. good.Process.Env.Where(e => e != entry), entry + "\nx"] } });
        foreach (var volume in good.Volumes)
        {
            var others = good.Volumes.Where(v => v != volume).ToList();
            Deny("volumes_allowed", good with { Volumes = others });
            Deny("volumes_allowed", good with { Volumes = [.. others, volume with { MountPath = "/other" }] });
            Deny("volumes_allowed", good with { Volumes = [.. others, volume with { Kind = "none" }] });
            Deny("volumes_allowed", good with { Volumes = [.. others, volume with { Name = "other" }] });
            if (volume.Files.Count > 0)
                Deny("volumes_allowed", good with { Volumes = [.. others, volume with { Files = [VolumeFileInput.Of(volume.Files[0].Path, volume.Files[0].Mode, "evil"u8)] }] });
        }

        void Deny(string condition, CreateContainerInput input) => Assert.Equal([condition], trial.Create(input).Conditions);
    }

    [Fact]
    public async Task Generate_Twice_SameBytes()
    {
        var (first, firstSet, _) = await Pods.GenerateAsync(Full, AllOptions);
        var (second, secondSet, _) = await Pods.GenerateAsync(Full, AllOptions);
        Assert.Equal(first.Select(p => Convert.ToHexString(p.InitData.Digest())), second.Select(p => Convert.ToHexString(p.InitData.Digest())));
        Assert.Equal(ManifestGenerator.Annotate(firstSet, first, "kist", 512, 1), ManifestGenerator.Annotate(secondSet, second, "kist", 512, 1));
    }

    [Fact]
    public async Task Annotate_Manifest_CarriesTheInitDataAndChangesNothingElse()
    {
        var (pods, set, _) = await Pods.GenerateAsync(Full, AllOptions);
        var text = ManifestGenerator.Annotate(set, pods, "kist", 512, 1);
        var review = new ManifestReview();
        var again = new ManifestSet();
        again.Add(text, "annotated.yaml", review);
        Assert.Equal(pods.Count, again.Workloads.Count);
        for (var i = 0; i < pods.Count; i++)
        {
            var template = again.Workloads[i].Template;
            Assert.Equal("kist", template.Child("spec").Text("runtimeClassName"));
            var annotations = template.Child("metadata").StringMap("annotations");
            Assert.Equal("512", annotations[GeneratedPod.MemoryAnnotation]);
            Assert.Equal("1", annotations[GeneratedPod.ProcessorsAnnotation]);
            Assert.Equal(i == 0, annotations.TryGetValue(GeneratedPod.ScratchAnnotation, out var scratch));
            Assert.True(i != 0 || scratch == "cache=1073741824");
            Assert.Equal("8080", annotations[PodPortNames.Annotation]);
            using var gzip = new GZipStream(new MemoryStream(Convert.FromBase64String(template.Child("metadata").StringMap("annotations")[GeneratedPod.InitDataAnnotation])), CompressionMode.Decompress);
            using var document = new StreamReader(gzip, Encoding.UTF8);
            Assert.Equal(pods[i].InitData.Text, await document.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        // Generating from what was generated gives the same policies: the annotation is no part of them.
        var (fromAnnotated, _, _) = await Pods.GenerateAsync(text, AllOptions);
        Assert.Equal(pods.Select(p => p.Policy), fromAnnotated.Select(p => p.Policy));
    }

    [Theory]
    [InlineData("", "/entry --default")]
    [InlineData("args: [\"a\", \"b\"]", "/entry a b")]
    [InlineData("command: [\"/bin/sh\"]", "/bin/sh")]
    [InlineData("command: [\"/bin/sh\"]\nargs: [\"-c\", \"x\"]", "/bin/sh -c x")]
    [InlineData("env: [{name: A, value: one}]\ncommand: [\"$(A)\", \"$$(A)\", \"$(B)\", \"$A\", \"$\", \"$(A\"]", "one $(A) $(B) $A $ $(A")]
    public async Task Args_FollowKubernetes(string container, string expected) =>
        Assert.Equal(expected, string.Join(' ', Pods.Texts((await Pods.ContainerAsync(Pods.Pod(container))).Args)));

    [Fact]
    public async Task Env_MergesImageSourcesAndReferences()
    {
        var container = await Pods.ContainerAsync(
            Pods.Pod(
                """
                envFrom:
                - prefix: P_
                  configMapRef: {name: settings}
                env:
                - {name: MODE, value: pod}
                - {name: KEY, valueFrom: {configMapKeyRef: {name: settings, key: key}}}
                - {name: BOTH, value: "$(MODE)/$(P_key)/$(MISSING)"}
                - {name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
                - {name: ME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
                - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                """,
                more: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {key: value}"),
            new GenerateOptions { Namespace = "prod" });
        Assert.Equal(
            ["PATH=/image/bin", "FROM=image", "P_key=value", "MODE=pod", "KEY=value", "BOTH=pod/value/$(MISSING)", "NS=prod", "ME=web", "APP=web", "IP=10.0.0.1"],
            Pods.Texts(container.Env));
    }

    [Fact]
    public async Task Env_ClusterSecret_IsRefusedOrShownAsDigestOnly()
    {
        var manifest = Pods.Pod(
            "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: password}}}]",
            more: "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2-and-more}");
        Assert.Contains("the cluster can read this Secret", await Pods.RefusalAsync(manifest), StringComparison.Ordinal);

        var (pods, _, _) = await Pods.GenerateAsync(manifest, new GenerateOptions { AllowClusterSecrets = true });
        Assert.DoesNotContain("hunter2", pods[0].Policy, StringComparison.Ordinal);
        var trial = AgentPolicyTrial.Compile(pods[0].Policy);
        var good = HonestCluster.CreateRequest(pods[0].Containers[0], withOptional: false);
        Assert.Contains("PASSWORD=hunter2-and-more", good.Process.Env);
        Assert.True(trial.Create(good).IsAllowed);
        Assert.False(trial.Create(good with { Process = good.Process with { Env = [.. good.Process.Env.Select(e => e.Replace("hunter2", "hunter3", StringComparison.Ordinal))] } }).IsAllowed);
    }

    [Fact]
    public async Task Env_SealedSecret_IsPinnedAsItIs()
    {
        using var author = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var text = SealedSecret.SealVault("kbs:///default/db/password", author, "kbs:///default/signing-key/1");
        var file = SealedSecret.SealVault("kbs:///default/db/file", author, "kbs:///default/signing-key/1");
        var container = await Pods.ContainerAsync(Pods.Pod(
            "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: password}}}]\nvolumeMounts: [{name: v, mountPath: /etc/v}]",
            "volumes: [{name: v, secret: {secretName: s, items: [{key: file, path: file}]}}]",
            $"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {text}, file: {file}}}"));
        Assert.Contains($"PASSWORD={text}", Pods.Texts(container.Env));
        Assert.Equal([new PinnedService("unseal", "kbs:///default/db/password"), new PinnedService("unseal", "kbs:///default/db/file")], container.Services);
    }

    [Theory]
    [InlineData("KUBERNETES_SERVICE_HOST=10.96.0.1", true)]
    [InlineData("KUBERNETES_PORT_443_TCP=tcp://10.96.0.1:443", true)]
    [InlineData("DB_SERVICE_PORT_HTTP=80", true)]
    [InlineData("LD_PRELOAD=/evil", false)]
    [InlineData("X_SERVICE_HOST=a; rm -rf /", false)]
    [InlineData("PATH=/evil", false)]
    [InlineData("HOSTNAME=web", true)]
    [InlineData("HOSTNAME=other", false)]
    public async Task Env_WhatTheClusterAdds_IsAllowedByPattern(string entry, bool allowed)
    {
        var (pods, _, _) = await Pods.GenerateAsync(Pods.Pod(""));
        var good = HonestCluster.CreateRequest(pods[0].Containers[0], withOptional: false);
        Assert.Equal(allowed, AgentPolicyTrial.Compile(pods[0].Policy).Create(good with { Process = good.Process with { Env = [.. good.Process.Env, entry] } }).IsAllowed);
    }

    [Fact]
    public async Task Env_WithoutServiceLinks_OnlyKubernetesItselfIsAnnounced()
    {
        var (pods, _, _) = await Pods.GenerateAsync(Pods.Pod("", "enableServiceLinks: false"));
        var good = HonestCluster.CreateRequest(pods[0].Containers[0], withOptional: true);
        var trial = AgentPolicyTrial.Compile(pods[0].Policy);
        Assert.True(trial.Create(good).IsAllowed);
        Assert.False(trial.Create(good with { Process = good.Process with { Env = [.. good.Process.Env, "DB_SERVICE_HOST=10.0.0.1"] } }).IsAllowed);
    }

    [Theory]
    [InlineData("", "1000,1000:0")]
    [InlineData("securityContext: {runAsUser: 7}", "7,7:0")]
    [InlineData("securityContext: {runAsUser: 7, runAsGroup: 8}", "7:8")]
    public async Task User_ContainersOwnOrImages(string container, string users) =>
        Assert.Equal(users, string.Join(',', (await Pods.ContainerAsync(Pods.Pod(container))).Users));

    [Fact]
    public async Task Capabilities_DropAllAddOne()
    {
        var container = await Pods.ContainerAsync(Pods.Pod("securityContext: {readOnlyRootFilesystem: true, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}"));
        Assert.Equal(["CAP_NET_BIND_SERVICE"], container.Capabilities);
        Assert.True(container.ReadOnlyRoot);
    }

    [Fact]
    public async Task InitContainers_ComeBeforeTheOthers()
    {
        var (pods, _, _) = await Pods.GenerateAsync(Pods.Pod(
            "",
            """
            initContainers:
            - {name: first, image: registry.example/init:v1}
            - {name: sidecar, image: registry.example/init:v1, restartPolicy: Always}
            - {name: last, image: registry.example/init:v1}
            """));
        var containers = pods[0].Containers.ToDictionary(c => c.Name);
        Assert.Empty(containers["first"].AfterCompletion);
        Assert.Equal(["first"], containers["sidecar"].AfterCompletion);
        Assert.Equal(["sidecar"], containers["last"].AfterStart);
        Assert.Equal(["first", "last"], containers["main"].AfterCompletion);
        Assert.Equal(["sidecar"], containers["main"].AfterStart);
    }

    [Fact]
    public async Task Flags_AreNeededForExecLogsAndAttach()
    {
        var container = await Pods.ContainerAsync(Pods.Pod("stdin: true\nlivenessProbe: {exec: {command: [/bin/alive]}}"));
        Assert.False(container.Output);
        Assert.False(container.Input);
        Assert.Equal([["/bin/alive"]], container.Exec);
        Assert.Empty(container.Services);
    }
}
