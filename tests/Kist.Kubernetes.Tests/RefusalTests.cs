using Kist.Formats;

namespace Kist.Kubernetes.Tests;

/// <summary>What cannot run in a guest, or could run something else, is refused with its place and reason.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("hostNetwork: true", "spec.hostNetwork")]
    [InlineData("hostPID: true", "spec.hostPID")]
    [InlineData("hostIPC: true", "spec.hostIPC")]
    [InlineData("shareProcessNamespace: true", "do not see each other")]
    [InlineData("ephemeralContainers: [{name: debug, image: x}]", "is in no policy")]
    [InlineData("someNewField: true", "not known here")]
    [InlineData("securityContext: {sysctls: [{name: a, value: b}]}", "spec.securityContext.sysctls")]
    [InlineData("volumes: [{name: h, hostPath: {path: /}}]", "the host's files")]
    [InlineData("volumes: [{name: h, nfs: {server: a, path: b}}]", "volumes of the cluster")]
    [InlineData("volumes: [{name: h, persistentVolumeClaim: {claimName: a}}]", "volumes of the cluster")]
    [InlineData("volumes: [{name: h, newKind: {}}]", "not known here")]
    [InlineData("volumes: [{name: h, configMap: {name: missing}}]", "in none of the files")]
    public async Task Pod_Unsupported_IsRefused(string pod, string expected) =>
        Assert.Contains(expected, await Pods.RefusalAsync(Pods.Pod("", pod)), StringComparison.Ordinal);

    [Theory]
    [InlineData("securityContext: {privileged: true}", "could take over the agent")]
    [InlineData("securityContext: {capabilities: {add: [SYS_ADMIN]}}", "CAP_SYS_ADMIN")]
    [InlineData("securityContext: {capabilities: {add: [ALL]}}", "CAP_ALL")]
    [InlineData("securityContext: {runAsNonRoot: true, runAsUser: 0}", "runAsNonRoot")]
    [InlineData("securityContext: {runAsGroup: 5}", "runAsGroup without runAsUser")]
    [InlineData("securityContext: {procMount: Unmasked}", "/proc stay masked")]
    [InlineData("volumeDevices: [{name: a, devicePath: /dev/x}]", "devices of the host")]
    [InlineData("unknownField: x", "not known here")]
    [InlineData("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]", "in none of the files")]
    [InlineData("env: [{name: A, valueFrom: {configMapKeyRef: {name: s, key: k, optional: true}}}]", "may appear later")]
    [InlineData("env: [{name: A, value: \"$(DB_SERVICE_HOST)\"}]", "depends on the services")]
    [InlineData("env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['x']\"}}}]", "known before the pod runs")]
    public async Task Container_Unsupported_IsRefused(string container, string expected) =>
        Assert.Contains(expected, await Pods.RefusalAsync(Pods.Pod(container)), StringComparison.Ordinal);

    [Fact]
    public async Task ServiceAccountToken_NeedsAFlag()
    {
        var manifest = Pods.Pod("").Replace("automountServiceAccountToken: false", "restartPolicy: Never", StringComparison.Ordinal);
        Assert.Contains("automountServiceAccountToken", await Pods.RefusalAsync(manifest), StringComparison.Ordinal);
        var container = await Pods.ContainerAsync(manifest, new GenerateOptions { AllowServiceAccountToken = true });
        Assert.True(Assert.Single(container.Volumes).IsContentFree);

        // Kubernetes adds a suffix to the name.
        var (pods, _, _) = await Pods.GenerateAsync(manifest, new GenerateOptions { AllowServiceAccountToken = true });
        var trial = AgentPolicyTrial.Compile(pods[0].Policy);
        var request = HonestCluster.CreateRequest(container, withOptional: false);
        Assert.True(trial.Create(request with { Volumes = [request.Volumes[0] with { Name = "kube-api-access-x7x2k" }] }).IsAllowed);
        Assert.False(trial.Create(request with { Volumes = [request.Volumes[0] with { Name = "other-x7x2k" }] }).IsAllowed);
    }

    [Fact]
    public async Task Several_AreSaidAtOnce()
    {
        var message = await Pods.RefusalAsync(Pods.Pod("securityContext: {privileged: true}", "hostNetwork: true\nhostPID: true"));
        Assert.Contains("pod.yaml:", message, StringComparison.Ordinal);
        Assert.Contains("hostNetwork", message, StringComparison.Ordinal);
        Assert.Contains("hostPID", message, StringComparison.Ordinal);
        Assert.Contains("privileged", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hostNetwork: false")]
    [InlineData("ephemeralContainers: []")]
    [InlineData("securityContext: {seLinuxOptions: {level: x}}")]
    [InlineData("nodeSelector: {a: b}")]
    public async Task Pod_WithoutEffect_Passes(string pod) => Assert.Single((await Pods.GenerateAsync(Pods.Pod("", pod))).Pods);

    [Theory]
    [InlineData("env: [{name: A, value: 8080}]", "write \"8080\" in quotes")]
    [InlineData("env: [{name: A, value: yes}]", "in quotes")]
    [InlineData("command: sh", "is not a list")]
    [InlineData("tty: \"true\"", "neither true nor false")]
    [InlineData("securityContext: {runAsUser: \"0\"}", "is not an integer")]
    [InlineData("name: again", "given twice")]
    [InlineData("volumeMounts: [{name: none, mountPath: /x}]", "names no volume")]
    public async Task Manifest_WrongTypes_AreMalformed(string container, string expected)
    {
        var e = await Assert.ThrowsAsync<MalformedDataException>(() => Pods.GenerateAsync(Pods.Pod(container)));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("- a")]
    [InlineData("a: &x [*x]")]
    [InlineData("a: {<<: {b: c}}")]
    [InlineData("? [a]\n: b")]
    [InlineData("kind: Pod")]
    public async Task Manifest_Malformed_Throws(string text) =>
        await Assert.ThrowsAsync<MalformedDataException>(() => Pods.GenerateAsync(text));

    [Fact]
    public async Task Manifest_AliasesThatExplode_AreMalformed()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        await Assert.ThrowsAsync<MalformedDataException>(() => Pods.GenerateAsync(bomb));
    }

    [Fact]
    public async Task Manifests_WithoutPods_AreRefused() =>
        Assert.Contains("no object that makes pods", await Pods.RefusalAsync("apiVersion: v1\nkind: Service\nmetadata: {name: a}"), StringComparison.Ordinal);
}
